"""What may be stored as JSON, by one rule for every encoder, and how it is written and read."""

from math import isfinite
from typing import Any

from bullworks.bullmq.errors import InvalidPayloadError
from bullworks.bullmq.wire.json_text import dump, dump_ascii, parse

Json = Any
"""None, bool, int, finite float, str, list or tuple of Json, dict of str -> Json."""

DEEPEST = 100
"""Levels of nesting; deeper is a mistake, or an attack on its reader."""

LARGEST_BYTES = 8 * 1024 * 1024
"""Of one job's data or result. Redis copies it, a dashboard shows it, every reader parses it."""


def encode(value: Json, *, limit_bytes: int = LARGEST_BYTES) -> bytes:
    """Encode a payload as JSON in UTF-8, without spaces.

    Raises:
        InvalidPayloadError: not JSON (a datetime, an object, NaN, a key that is not a str), nested deeper than
            DEEPEST, or longer than `limit_bytes`; it names the path.
    """
    check(value)
    try:
        encoded = dump(value)
    except UnicodeEncodeError:  # a lone surrogate: escaped, as JSON.stringify does
        encoded = dump_ascii(value)
    except ValueError as error:  # the one thing left: an integer with more digits than Python writes
        raise InvalidPayloadError("$", f"holds a number that is too long: {error}") from None
    if len(encoded) > limit_bytes:
        raise InvalidPayloadError("$", f"is {len(encoded)} bytes of JSON; the limit is {limit_bytes}")
    return encoded


def decode(encoded: bytes) -> Json:
    """Decode a payload, from any BullMQ library.

    Raises:
        ValueError: it is not JSON, or not UTF-8.
    """
    try:
        return parse(encoded)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def check(value: Json) -> None:
    """Raise InvalidPayloadError, with the path, unless `value` consists of JSON types only."""
    kind = type(value)
    if kind is dict:  # the common payload, flat, is settled here
        for key, item in value.items():
            if type(key) is not str:
                _refuse(value, "$", 0)
            item_kind = type(item)
            if item_kind is str or item_kind is int or item_kind is bool or item is None:
                continue
            _refuse(item, f"$.{key}", 1)
    elif kind is not str and kind is not int and kind is not bool and value is not None:
        _refuse(value, "$", 0)


def _refuse(value: Json, path: str, depth: int) -> None:
    if depth > DEEPEST:
        raise InvalidPayloadError(path, f"is nested deeper than {DEEPEST} levels, or holds itself")
    if value is None or isinstance(value, str | int):
        return
    if isinstance(value, float):
        if not isfinite(value):
            raise InvalidPayloadError(path, f"is {value}, which JSON cannot hold")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidPayloadError(path, f"has the key {key!r}; JSON's keys are strings")
            _refuse(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse(item, f"{path}[{index}]", depth + 1)
    else:
        advice = "convert it to str, int, list or dict"
        if path == "$" and (hasattr(type(value), "__dataclass_fields__") or hasattr(type(value), "model_fields")):
            advice += f", or give the queue data_type={type(value).__name__}"
        raise InvalidPayloadError(path, f"is a {type(value).__qualname__}, which JSON cannot hold; {advice}")
