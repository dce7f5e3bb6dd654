"""What a search looks for, and whether a job is that. Only what the board shows of a job can be found."""

import json
import re
from dataclasses import dataclass
from typing import Any

from bullworks.board.jobs import parsed, text
from bullworks.board.redaction import HIDDEN, Redaction

MOST_CHARS = 500
"""Of what is searched for."""

_FIELD = re.compile(r"(?P<path>[^=\s\"'{}\[\],:]{1,200})=(?P<value>.+)", re.DOTALL)
_INDEX_DIGITS = 9
_AROUND_CHARS = 60
# Stands for what is hidden while a text is looked for: no address holds half a character, so nothing fits it.
_MASK = "\ud800" * len(HIDDEN)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A search for a field of the data and its value, such as `user.id=7`."""

    path: tuple[str, ...]
    value: str

    @classmethod
    def of(cls, wanted: str) -> "FieldValue | None":
        """Parse a field search such as `user.id=7`; None if the text is not one."""
        match = _FIELD.fullmatch(wanted)
        return None if match is None else cls(tuple(match["path"].split(".")), match["value"].strip())

    def fits(self, data: Any) -> bool:
        """Whether a field of the data, or of an entry of a list in it, has the value."""
        return self._fits(data, self.path)

    def _fits(self, data: Any, path: tuple[str, ...]) -> bool:
        if isinstance(data, list):
            # either or, never both: nested lists would be walked once for each way through them
            if path and path[0].isdecimal():
                at = int(path[0]) if len(path[0]) < _INDEX_DIGITS else len(data)
                return at < len(data) and self._fits(data[at], path[1:])
            return any(self._fits(item, path) for item in data)
        if not path:
            return _scalar(data) == self.value != HIDDEN
        if isinstance(data, dict):
            first, rest = path[0], path[1:]
            whole = ".".join(path)  # a key may hold dots
            return (first in data and self._fits(data[first], rest)) or (whole in data and self._fits(data[whole], ()))
        return False


class Matcher:
    """Searches a text, ignoring case, in job names and in displayed data.

    Secrets are hidden before anything is compared, since an answer of yes or no would tell them letter by letter.
    """

    def __init__(self, wanted: str, redaction: Redaction) -> None:
        self._wanted = wanted.lower()
        self._field = FieldValue.of(wanted)
        self._redaction = redaction

    def is_in_name(self, name: str) -> bool:
        """Whether a job's name contains the text."""
        return self._wanted in name.lower()

    def excerpt(self, stored: bytes) -> str | None:
        """Extract the matching part of a job's data with its context; None if nothing matches or it is not JSON."""
        if not self._may_be_in(stored):
            return None
        try:
            shown = self._redaction.hide(parsed(stored))
            for separators in ((",", ":"), (", ", ": ")):
                encoded = json.dumps(shown, ensure_ascii=False, separators=separators)
                at = encoded.lower().replace(HIDDEN, _MASK).find(self._wanted)
                if at >= 0:
                    return _around(encoded, at, len(self._wanted))
            if self._field is not None and self._field.fits(shown):
                return f"{'.'.join(self._field.path)} = {self._field.value}"
        except (ValueError, RecursionError):
            return None
        return None

    def _may_be_in(self, stored: bytes) -> bool:
        """Whether it is worth to read the JSON, which takes far longer. What is escaped there is found by reading.

        Spaces are left out of account: those after a colon or a comma are shown, and are not stored.
        """
        if b"\\" in stored:
            return True
        held = _without_spaces(text(stored))
        sought = [self._wanted, *([] if self._field is None else [self._field.value])]
        return any(_without_spaces(one) in held for one in sought)


def _without_spaces(searched: str) -> str:
    return searched.lower().replace(" ", "")


def _scalar(data: Any) -> str | None:
    """As it is asked for: a text as it is, a number or such as JSON has it."""
    if isinstance(data, str):
        return data
    return None if isinstance(data, dict | list) else json.dumps(data)


def _around(encoded: str, at: int, length: int) -> str:
    first, last = max(0, at - _AROUND_CHARS), at + length + _AROUND_CHARS
    return f"{'…' if first else ''}{encoded[first:last]}{'…' if last < len(encoded) else ''}"
