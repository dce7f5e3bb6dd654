"""`.env.example` is the list of all variables of this service, with their owners and defaults."""

from __future__ import annotations

import re
from pathlib import Path

from dotenv import dotenv_values

from app.app_module import AppModule
from bullworks.core import ProviderKind, create_application
from bullworks.logs import LogSettings
from bullworks.settings import SettingsSource, project_folder

EXAMPLE = project_folder() / ".env.example"
DISCOVERY = create_application(AppModule).discovery
CLASSES = [LogSettings, *DISCOVERY.settings_classes()]
VARIABLES = {field.upper() for cls in CLASSES for field in cls.model_fields}


def test_the_example_lists_every_variable_and_no_other() -> None:
    listed = set(dotenv_values(EXAMPLE))
    assert listed - VARIABLES == set(), "no settings class has these: remove their lines from .env.example"
    assert VARIABLES - listed == set(), "describe these in .env.example"


def test_each_heading_names_the_owner_of_its_variables() -> None:
    owners = {field.upper(): "Logs" for field in LogSettings.model_fields}
    for module in DISCOVERY.modules():
        for provider in module.providers:
            if provider.kind is ProviderKind.SETTINGS and provider.made_from is not None:
                # APP_ENV is also read by the board; it belongs to the one that has it first
                owners = {field.upper(): module.name for field in provider.made_from.model_fields} | owners
    told, heading = {}, ""
    for line in EXAMPLE.read_text().splitlines():
        if title := re.match(r"# --- (\w+)", line):
            heading = title[1]
        elif variable := re.match(r"(\w+)=", line):
            told[variable[1]] = heading
    assert told == owners


def test_the_example_holds_the_defaults(tmp_path: Path) -> None:
    example, nothing = SettingsSource(env_file=EXAMPLE), SettingsSource(env_file=tmp_path / "no-such-file")
    assert [example[cls] for cls in CLASSES] == [nothing[cls] for cls in CLASSES]


def test_every_variable_has_a_hint() -> None:
    assert [name for cls in CLASSES for name, field in cls.model_fields.items() if not field.description] == []
