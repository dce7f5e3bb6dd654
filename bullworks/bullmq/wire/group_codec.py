"""Limits of groups between Python and what lies in Redis, under the names that lua/lib/group_settings.lua reads."""

from bullworks.bullmq.options.group import GroupLimits
from bullworks.bullmq.wire import payload

_WIRE_NAMES = {
    "concurrency": "concurrency",
    "rate_max": "max",
    "rate_duration_ms": "duration",
    "max_size": "max_size",
    "weight": "weight",
    "ordered": "ordered",
}

# From here on a number of JavaScript, and of Lua, is not exact.
_PAST_WHOLE = 2**53


def encode_limits(limits: GroupLimits) -> bytes:
    """The JSON of what is limited; what is not is left to the defaults."""
    stored = {wire: getattr(limits, name) for name, wire in _WIRE_NAMES.items()}
    return payload.encode({wire: value for wire, value in stored.items() if value})


def decode_limits(encoded: bytes | None) -> GroupLimits:
    """The limits that are stored; without any, those of nobody."""
    stored = {} if encoded is None else payload.decode(encoded)
    return GroupLimits(**{name: stored[wire] for name, wire in _WIRE_NAMES.items() if wire in stored})


def own_group(opts: bytes) -> str | None:
    """The group that Node gave a job among its options, as lua/lib/group_gate.lua reads it; None if it gave none."""
    stored = payload.decode(opts) if b'"group":{' in opts else None
    group = stored.get("group") if isinstance(stored, dict) else None
    named = group.get("id") if isinstance(group, dict) else None
    if isinstance(named, str):
        return named or None
    if not isinstance(named, int | float) or isinstance(named, bool):
        return None
    return f"{named:.0f}" if named % 1 == 0 and abs(named) < _PAST_WHOLE else None
