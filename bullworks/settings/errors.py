"""The error of a configuration that cannot be used."""


class SettingsError(Exception):
    """The configuration is invalid; holds every problem."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        count = "a problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        return "\n  ".join([f"the configuration has {count}:", *self.problems])
