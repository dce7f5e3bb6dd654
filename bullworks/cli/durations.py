"""Durations as a person types them: `1500`, `5s`, `10m`, `24h`, `7d`."""

import re

import typer

UNITS_MS = {"": 1, "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
PATTERN = re.compile(r"(\d+(?:\.\d+)?) ?(ms|[smhd])?", re.ASCII)


def milliseconds(text: str) -> int:
    """Parse a duration to whole milliseconds; a bare number is milliseconds, as everywhere in BullMQ.

    Raises:
        typer.BadParameter: it is not a number, with or without a unit.
    """
    match = PATTERN.fullmatch(text.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration; write 1500 (ms), 5s, 10m, 24h or 7d")
    return round(float(match[1]) * UNITS_MS[match[2] or ""])
