"""Between Python and what steps leave in a job's hash: fields of ours alone, which Node keeps and never reads.

`bw:step:<name>` holds what a step came to, `bw:cursor:<name>` how many items were done, `bw:sleep:<name>` and
`bw:wait:<name>` until when the job sleeps or waits: each behind the number that says in which order they were written.
`bw:signal:<name>` holds a signal's data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

StepKind = Literal["step", "cursor", "sleep", "wait"]

_PREFIX = b"bw:"
_SIGNAL = "signal"

TIMED_OUT = b"timeout"
"""What a wait holds that has ended without its signal. Source: lua/lib/other_ends.lua."""

NEVER = b"never"
"""Until when a job waits that has no limit."""

FINISHED = b" end"
"""What stands behind the number of items of a cursor that has come to its end."""


@dataclass(frozen=True, slots=True)
class StepMark:
    """One step as a job's hash holds it.

    Attributes:
        number: the order in which marks were written, from 1.
        value: JSON of a step; the number of items of a cursor; ms since the epoch, `never` or `timeout` of the others.
    """

    kind: StepKind
    name: str
    number: int
    value: bytes


def mark_field(kind: StepKind, name: str) -> bytes:
    """Build the name of the field that holds a step's mark."""
    return f"bw:{kind}:{name}".encode()


def signal_field(name: str) -> bytes:
    """Build the name of the field that holds a signal's data."""
    return f"bw:{_SIGNAL}:{name}".encode()


def encode_mark(number: int, value: bytes) -> bytes:
    """Build what a mark's field holds."""
    return b"%d %b" % (number, value)


def own_fields(fields: Iterable[bytes]) -> list[bytes]:
    """Select the fields of a job's hash that are of its steps and signals."""
    return [field for field in fields if field.startswith(_PREFIX)]


def decode_marks(fields: Mapping[bytes, bytes]) -> dict[bytes, StepMark]:
    """Find a job's marks, by field, in the order in which they were written."""
    marks: dict[bytes, StepMark] = {}
    for field in own_fields(fields):
        kind, _, name = field.removeprefix(_PREFIX).decode("utf-8", "replace").partition(":")
        number, _, value = fields[field].partition(b" ")
        if kind in get_args(StepKind) and number.isdigit():
            marks[field] = StepMark(kind, name, int(number), value)  # type: ignore[arg-type]
    return dict(sorted(marks.items(), key=lambda item: item[1].number))


def position_of(mark: StepMark | None) -> tuple[int, bool]:
    """Read how many items a cursor is past, and whether that is all of them."""
    number, _, end = (b"0" if mark is None else mark.value).partition(b" ")
    return int(number), bool(end)
