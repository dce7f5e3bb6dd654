"""An environment without any variable of the framework, and a way to write a `.env`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bullworks.board.settings import BoardSettings
from bullworks.health.settings import HealthSettings
from bullworks.logs import LogSettings
from bullworks.settings import Settings, SettingsSource
from bullworks.web.settings import WebSettings
from bullworks.workers.history.settings import HistorySettings
from bullworks.workers.presence.settings import PresenceSettings
from bullworks.workers.settings import QueueSettings, WorkersSettings

SECTIONS: tuple[type[Settings], ...] = (
    WorkersSettings,
    QueueSettings,
    HistorySettings,
    PresenceSettings,
    WebSettings,
    HealthSettings,
    BoardSettings,
    LogSettings,
)
VARIABLES = {field.upper() for section in SECTIONS for field in section.model_fields}

Load = Callable[[], SettingsSource]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer has set must not decide a test."""
    for name in [name for name in os.environ if name.upper() in VARIABLES]:
        monkeypatch.delenv(name)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """The path of a `.env` that is not there yet."""
    return tmp_path / ".env"


@pytest.fixture
def load(env_file: Path) -> Load:
    """Loads the framework's settings with that `.env`."""

    def read() -> SettingsSource:
        source = SettingsSource(env_file=env_file)
        source.check(SECTIONS)
        return source

    return read
