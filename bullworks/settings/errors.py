"""The error of a configuration that cannot be used."""

from dataclasses import dataclass

from bullworks.errors import FactError


@dataclass(eq=False)
class SettingsError(FactError):
    """The configuration is invalid; holds every problem."""

    problems: tuple[str, ...]

    def __str__(self) -> str:
        count = "a problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        return "\n  ".join([f"the configuration has {count}:", *self.problems])
