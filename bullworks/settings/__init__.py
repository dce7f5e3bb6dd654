"""Settings: frozen classes that a feature owns, read from the environment and `.env`, all problems in one error."""

from bullworks.settings.base import Settings
from bullworks.settings.errors import SettingsError
from bullworks.settings.fields import DAY_MS, Folder, HttpUrl, Listed, LowerCase, Milliseconds, UpperCase, url_scheme
from bullworks.settings.folder import project_folder
from bullworks.settings.source import SettingsSource

__all__ = [
    "DAY_MS",
    "Folder",
    "HttpUrl",
    "Listed",
    "LowerCase",
    "Milliseconds",
    "Settings",
    "SettingsError",
    "SettingsSource",
    "UpperCase",
    "project_folder",
    "url_scheme",
]
