"""A time zone by name: its distance from UTC at an instant, and at what a clock on the wall shows."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from bullworks.cron_expression.errors import RefusedError
from bullworks.suggestion import suggestions

_FIXED = re.compile(r"utc(?:([+-])([0-9]{1,2})(?::([0-9]{2}))?)?", re.IGNORECASE)
# Not one of zoneinfo's odd entries (posix/..., right/..., a file's path), which Node has not.
_NAME = re.compile(r"(?!posix|right|localtime|Factory)[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_PROCESS = {"local", "system", "default"}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what a wall shows has no zone
_LOCALTIME = Path("/etc/localtime")


class Zone:
    """A time zone: offsets in seconds east of UTC, instants and wall times in seconds since 1970."""

    __slots__ = ("_rules", "name")

    def __init__(self, name: str, rules: tzinfo) -> None:
        self.name = name
        self._rules = rules

    def __repr__(self) -> str:
        return f"Zone({self.name!r})"

    def offset_s(self, instant_s: int) -> int:
        """Return the offset at an instant."""
        return _seconds(datetime.fromtimestamp(instant_s, self._rules).utcoffset())

    def offsets_s(self, wall_s: int) -> tuple[int, int]:
        """Return the two offsets at which a wall time can occur; nearly always equal.

        Returns:
            A larger and a smaller one where the clock was set back and shows the time twice, first pass first; a
            smaller and a larger one where it was set forward past the time, the one before the change first.
        """
        wall = (_EPOCH + timedelta(seconds=wall_s)).replace(tzinfo=self._rules)
        return _seconds(wall.utcoffset()), _seconds(wall.replace(fold=1).utcoffset())

    def change_s(self, before_s: int, after_s: int) -> int:
        """Find the first instant with the offset of after_s; there is one change between the two."""
        offset = self.offset_s(after_s)
        while after_s - before_s > 1:
            middle = (before_s + after_s) // 2
            if self.offset_s(middle) == offset:
                after_s = middle
            else:
                before_s = middle
        return after_s


def find_zone(name: str | None) -> Zone:
    """Find the zone of an IANA name in any case, of `UTC+3` or `utc-03:30`, or for None the process's own.

    The process's own is TZ, else /etc/localtime, else UTC.

    Raises:
        RefusedError: there is no such zone.
    """
    if name is None or name.lower() in _PROCESS:
        return _process_zone(os.environ.get("TZ", "").removeprefix(":"))
    return _zone(name)


@lru_cache(maxsize=512)
def _zone(name: str) -> Zone:
    fixed = _FIXED.fullmatch(name)
    if fixed:
        sign, hours, minutes = fixed.groups()
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        if offset >= timedelta(days=1):
            raise RefusedError(f"{name!r} is more than a day from UTC")
        return Zone(name, timezone(-offset if sign == "-" else offset) if sign else UTC)
    rules = _load(name) or _load(_known_zones().get(name.lower(), ""))
    if rules is None:
        raise RefusedError(f"unknown time zone {name!r}", _advice(name))
    return Zone(name, rules)


@lru_cache(maxsize=8)
def _process_zone(tz: str) -> Zone:
    if tz:
        try:
            return _zone(tz)
        except RefusedError as refusal:
            raise RefusedError(f"the environment's TZ: {refusal.reason}", refusal.hint) from None
    if not _LOCALTIME.exists():
        return Zone("UTC", UTC)
    with _LOCALTIME.open("rb") as file:
        return Zone("local", ZoneInfo.from_file(file))


def _load(name: str) -> ZoneInfo | None:
    if not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # OSError: the name is a folder, as "Europe".
        return None


@lru_cache(maxsize=1)
def _known_zones() -> dict[str, str]:
    """Names by their lower case. Reads some 600 files: only asked when a name was not found as written."""
    return {name.lower(): name for name in available_timezones() if _NAME.fullmatch(name)}


def _advice(name: str) -> str:
    known = _known_zones()
    if not known:
        return "This machine has no time zones: install the package tzdata"
    close = suggestions(name.lower(), known, 3)
    like = f" (like it: {', '.join(known[match] for match in close)})" if close else ""
    return f"Write an IANA name, as in Europe/Paris{like}"


def _seconds(offset: timedelta | None) -> int:
    # None only from a naive clock, which none of ours is.
    return 0 if offset is None else offset.days * 86_400 + offset.seconds
