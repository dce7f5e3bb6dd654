"""Program: the service that a command line is about: its root module, its settings, and how it is started again."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bullworks.cli.failure import CommandError
from bullworks.cli.importing import import_object
from bullworks.core import Application, create_application
from bullworks.settings import SettingsSource


@dataclass(frozen=True, slots=True)
class Program:
    """A service as a command line sees it.

    Args:
        app: its root module, as in `app.app_module:AppModule`; imported when it is first needed, or the class itself.
        settings: where its settings come from.
    """

    app: str | type[Any]
    settings: SettingsSource = field(default_factory=SettingsSource)

    @classmethod
    def current(cls) -> "Program":
        """The program of the running command.

        Raises:
            LookupError: no command does.
        """
        return _CURRENT.get()

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Make this the current program while the block runs."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def over(self, values: Mapping[str, str | None]) -> "Program":
        """Copy the program with some variables overriding the environment."""
        return Program(self.app, self.settings.over(values))

    def module(self) -> type[Any]:
        """Import the root module.

        Raises:
            CommandError: it cannot be imported, or is not a class; says which line to look at.
        """
        found = self.app if isinstance(self.app, type) else import_object(self.app)
        if not isinstance(found, type):
            raise CommandError(f"{self.app} is not a module class, but {found!r}")
        return found

    def application(self) -> Application:
        """Create an application of the root module, not started."""
        return create_application(self.module(), settings=self.settings)

    def command(self) -> list[str]:
        """The command line that starts a process of this program, without arguments."""
        script = getattr(sys.modules.get("__main__"), "__file__", None)
        is_script = script is not None and sys.modules["__main__"].__spec__ is None
        if is_script and Path(str(script)).suffix == ".py":
            return [sys.executable, str(Path(str(script)).resolve())]
        app = self.app if isinstance(self.app, str) else f"{self.app.__module__}:{self.app.__qualname__}"
        return [sys.executable, "-m", "bullworks", "--app", app]


_CURRENT: ContextVar[Program] = ContextVar("program")
