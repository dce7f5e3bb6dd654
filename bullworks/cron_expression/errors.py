"""Why a cron expression was refused."""

from __future__ import annotations

from dataclasses import dataclass

from bullworks.errors import FactError


@dataclass(eq=False)
class CronExpressionError(FactError, ValueError):
    """The expression, or its time zone, has no runs.

    Attributes:
        expression: as it was written.
        field: the part that is wrong ("minute", "day of week", "tz"), or None when it is the whole.
        reason: what is wrong with it.
        hint: what to write instead; may be empty.
    """

    expression: str
    field: str | None
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        shown = self.expression if len(self.expression) <= _SHOWN_CHARS else f"{self.expression[:_SHOWN_CHARS]}..."
        where = "" if self.field is None else f", {self.field}"
        advice = f". {self.hint}" if self.hint else ""
        return f"cron expression {shown!r}{where}: {self.reason}{advice}"


@dataclass(eq=False)
class RefusedError(FactError):
    """One part was refused; the parser of the whole expression turns this into a CronExpressionError."""

    reason: str
    hint: str = ""


# Longer ones are refused for their length; the message need not repeat them whole.
_SHOWN_CHARS = 120
