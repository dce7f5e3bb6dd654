"""An environment without any variable of ours, and a way to write a `.env`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bullworks import settings
from bullworks.settings import (
    AppSettings,
    BoardSettings,
    CandlesSettings,
    HealthSettings,
    LogSettings,
    MailSettings,
    QueueSettings,
    SyncSettings,
    TickerSettings,
    WebSettings,
    WorkersSettings,
)

SECTIONS = (
    AppSettings,
    WorkersSettings,
    QueueSettings,
    WebSettings,
    HealthSettings,
    BoardSettings,
    MailSettings,
    TickerSettings,
    CandlesSettings,
    SyncSettings,
    LogSettings,
)
VARIABLES = {field.upper() for section in SECTIONS for field in section.model_fields}


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
def load(env_file: Path) -> Callable[[], settings.Settings]:
    """Loads the settings with that `.env`."""
    return lambda: settings.Settings.load(env_file)
