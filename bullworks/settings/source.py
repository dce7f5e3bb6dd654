"""SettingsSource: reads settings classes once each, and says everything that is wrong in one error."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bullworks.settings.base import Settings
from bullworks.settings.errors import SettingsError
from bullworks.settings.folder import project_folder
from bullworks.suggestion import suggestion

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Settings)

SHOWN_CHARS = 80  # of a wrong value: enough to recognise it, too few to flood a terminal
# Above it a name is taken for a slip of the pen: QUEUE_REDIS_URI, but not DATABASE_URL.
_NEAR = 0.85


class SettingsSource:
    """Reads an application's settings: given values first, then the environment, then `.env`.

    Args:
        values: for variables, by name, whatever the environment says; None means unset.
        env_file: read instead of the `.env` in `project_folder()`; neither needs to exist.
        names_unknown: whether `check` looks for variables in the file that no settings class has.
    """

    def __init__(
        self,
        values: Mapping[str, str | None] | None = None,
        *,
        env_file: Path | None = None,
        names_unknown: bool = True,
    ) -> None:
        self._values = {name.upper(): value for name, value in (values or {}).items()}
        self._env_file = env_file
        self._names_unknown = names_unknown
        self._read: dict[type[Settings], Settings] = {}

    def __repr__(self) -> str:
        return f"<SettingsSource {', '.join(sorted(self._values)) or 'environment'}>"  # names only: values are secret

    def __getitem__(self, cls: type[S]) -> S:
        """Return the settings of one class, read at first use.

        Raises:
            SettingsError: a value is wrong.
        """
        self.read([cls])
        settings = self._read[cls]
        assert isinstance(settings, cls)  # noqa: S101  # the key says so
        return settings

    def over(self, values: Mapping[str, str | None], *, names_unknown: bool | None = None) -> "SettingsSource":
        """Copy the source with some values overriding this source's."""
        is_naming = self._names_unknown if names_unknown is None else names_unknown
        return SettingsSource(self._values | dict(values), env_file=self._env_file, names_unknown=is_naming)

    def read(self, classes: Iterable[type[Settings]]) -> None:
        """Read settings classes, each once.

        Raises:
            SettingsError: holds every problem of all of them.
        """
        problems: list[str] = []
        for cls in classes:
            if cls not in self._read:
                problems.extend(self._problems_of(cls))
        if problems:
            raise SettingsError(tuple(dict.fromkeys(problems)))

    def check(self, classes: Iterable[type[Settings]]) -> None:
        """Read an application's settings, and report variables in `.env` that no class has.

        A name that is nearly one of ours is a problem; others are mentioned in the log.

        Raises:
            SettingsError: holds every problem.
        """
        classes = list(classes)
        problems: list[str] = []
        try:
            self.read(classes)
        except SettingsError as error:
            problems.extend(error.problems)
        if classes and self._names_unknown:
            problems.extend(self._misspelt())
        if problems:
            raise SettingsError(tuple(problems))

    @property
    def _file(self) -> Path:
        return self._env_file or project_folder() / ".env"

    def _problems_of(self, cls: type[Settings]) -> Iterator[str]:
        given = {field: self._values[field.upper()] for field in cls.model_fields if field.upper() in self._values}
        unset = {field: cls.model_fields[field].get_default() for field, value in given.items() if value is None}
        arguments: dict[str, Any] = {"_env_file": self._file, **given, **unset}
        try:
            self._read[cls] = cls(**arguments)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                yield self._problem(cls, detail)
        except (UnicodeDecodeError, OSError) as error:
            yield f"{self._file} cannot be read as UTF-8 text: {error}"

    def _problem(self, cls: type[Settings], detail: ErrorDetails) -> str:
        """One line: the variable, its value unless that is a secret, what is wrong, and what is expected."""
        wrong = detail["msg"].removeprefix("Value error, ")
        if not detail["loc"]:  # of several fields together: the text names them
            return wrong
        field = str(detail["loc"][0])
        variable = field.upper()
        if "SecretStr" in str(cls.model_fields[field].annotation):
            given = f"{variable} (value not shown)"
        else:
            given = f"{variable}={ascii(os.environ.get(variable, detail['input']))[:SHOWN_CHARS]}"
        is_in_file = variable not in os.environ and variable not in self._values
        where = f" in {self._file}" if is_in_file else ""
        hint = cls.model_fields[field].description or "see its settings class"
        return f"{given}{where}: {wrong[:1].lower()}{wrong[1:]}. Expected: {hint}"

    def _misspelt(self) -> Iterator[str]:
        try:
            names = [name for name in dotenv_values(self._file, encoding="utf-8") if name]
        except (UnicodeDecodeError, OSError):
            return  # reported when a class is read
        known = sorted({field.upper() for cls in _subclasses(Settings) for field in cls.model_fields})
        foreign = []
        for name in names:
            if name.upper() in known:
                continue
            near = suggestion(name.upper(), known, likeness=_NEAR)
            if near:
                yield f"{name} in {self._file}: no setting has this name. Did you mean {near}?"
            else:
                foreign.append(name)
        if foreign:
            log.info("%s: no settings class reads %s", self._file, ", ".join(foreign))


def _subclasses(cls: type[Settings]) -> Iterator[type[Settings]]:
    """All settings classes that have been imported."""
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)
