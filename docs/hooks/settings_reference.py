"""The reference of settings: every variable that the framework reads, from the settings classes."""

import inspect
import re
from collections.abc import Iterable
from typing import Any

from pydantic import SecretStr

from bullworks.board.settings import BoardSettings
from bullworks.health.settings import HealthSettings
from bullworks.job_api.settings import JobApiSettings
from bullworks.logs import LogSettings
from bullworks.settings import Settings
from bullworks.web.settings import WebSettings
from bullworks.workers.history.settings import HistorySettings
from bullworks.workers.presence.settings import PresenceSettings
from bullworks.workers.settings import QueueSettings, WorkersSettings
from docs.hooks.markdown import table

# In the order of .env.example.
CLASSES: tuple[type[Settings], ...] = (
    WorkersSettings,
    QueueSettings,
    HistorySettings,
    PresenceSettings,
    WebSettings,
    HealthSettings,
    BoardSettings,
    JobApiSettings,
    LogSettings,
)


def settings_page() -> str:
    """Write the page of all variables, by settings class."""
    parts = [
        "# Settings",
        (
            "Made from the settings classes. A variable of the environment wins over the same one in `.env`; an "
            "empty one counts as unset. All that is wrong is one error at the start, and so is a misspelt name in "
            "`.env`. Settings of your own: [Modules](../modules.md)."
        ),
    ]
    for cls in CLASSES:
        parts += [f"## {cls.__name__}", (inspect.getdoc(cls) or "").split("\n\n")[0], _variables(cls)]
    return "\n\n".join(parts)


def _variables(cls: type[Settings]) -> str:
    rows = [
        (f"`{name.upper()}`", _default(field.get_default(call_default_factory=True)), field.description or "")
        for name, field in cls.model_fields.items()
    ]
    return table(("Variable", "Default", "Expected"), rows)


def _default(value: Any) -> str:
    """A default as it would stand in `.env`."""
    if value is None or value == ():
        return "unset"
    if isinstance(value, SecretStr):
        return "not shown"
    text = ",".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
    return f"`{re.sub('^(True|False)$', lambda flag: flag[0].lower(), text)}`"
