"""ServiceFolder: where a service's root module, workers, features and tests lie, read without importing any of it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bullworks.cli.failure import CommandError
from bullworks.cli.generate.name import Name
from bullworks.settings import project_folder

# Ruff's own, for projects that say nothing.
_LINE_LENGTH = 88


@dataclass(frozen=True, slots=True)
class ServiceFolder:
    """The folder of a service in the layout of `bullworks new`; paths are relative to it, with slashes.

    Args:
        folder: the project's, with its pyproject.toml.
        package: the service's, as in `app`.
        root_file: of the root module, as in `app/app_module.py`.
        root_module: the name of its class.
    """

    folder: Path
    package: str
    root_file: str
    root_module: str

    @classmethod
    def find(cls, app: str | type[Any]) -> "ServiceFolder":
        """Find the folder of the service whose root module is `app`, in or above the current folder.

        Raises:
            CommandError: there is no such module there.
        """
        place = app if isinstance(app, str) else f"{app.__module__}:{app.__qualname__}"
        module, _, name = place.partition(":")
        file = f"{module.replace('.', '/')}.py"
        folder = project_folder()
        if not (folder / file).is_file():
            raise CommandError(
                f"{folder} is not a project: it has no {file}",
                "Go to the folder of one, or begin one with `bullworks new`.",
            )
        return cls(folder, module.partition(".")[0], file, name)

    @property
    def workers_file(self) -> str:
        """The file of WorkersModule."""
        return f"{self.package}/workers/workers_module.py"

    def features(self) -> list[str]:
        """The names of the packages in `modules/`, sorted."""
        found = (self.folder / self.package / "modules").glob("*/__init__.py")
        return sorted(path.parent.name for path in found)

    def feature_like(self, name: Name) -> str | None:
        """The feature of a name, in the singular or in the plural; None if there is none."""
        features = self.features()
        if name.snake in features:
            return name.snake
        return next((feature for feature in features if name.differs_in_number_only(feature)), None)

    def line_length(self) -> int:
        """The line length of the project's formatter, in characters.

        Raises:
            CommandError: pyproject.toml cannot be read.
        """
        file = self.folder / "pyproject.toml"
        try:
            settings = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
            return int(settings.get("tool", {}).get("ruff", {}).get("line-length", _LINE_LENGTH))
        except (OSError, ValueError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
