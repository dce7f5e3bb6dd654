"""FactError: the base of errors that are dataclasses, whose fields are the facts of what went wrong."""

import dataclasses
from typing import Any, cast


class FactError(Exception):
    """An error made of its fields: a subclass is decorated with `@dataclass(eq=False)` and has a `__str__`.

    Its fields are also its `args`, given by name or by position, so that it pickles: an error of a handler may cross
    from one process to another.
    """

    def __post_init__(self) -> None:
        self.args = tuple(getattr(self, field.name) for field in dataclasses.fields(cast(Any, self)))
