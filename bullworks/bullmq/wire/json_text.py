"""JSON to bytes and back: by the standard library, or faster by orjson where the extra `fast` brought it, and the same.

What orjson does not do as the standard library does is left to that: long integers, half characters, NaN and infinity.
"""

import json
from importlib import import_module
from typing import Any


def _import_optional(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


_orjson = _import_optional("orjson")

_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode
_parse = json.JSONDecoder().decode

# orjson reads an integer of more than 64 bits as a float, and says nothing: it is not shown 19 digits in a row.
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG = b"0" * 19


def dump_by_json(value: Any) -> bytes:
    """Encode a value as JSON in UTF-8, without spaces.

    Raises:
        UnicodeEncodeError: half of a character, which UTF-8 cannot hold.
        ValueError: an integer with more digits than Python writes.
    """
    return _dump(value).encode()


def dump_by_orjson(value: Any) -> bytes:
    """Encode a value that passed `payload.check` with orjson; floats may be written differently."""
    try:
        text: bytes = _orjson.dumps(value)
    except TypeError:
        return dump_by_json(value)
    return text


def dump_ascii(value: Any) -> bytes:
    """Encode a value as ASCII JSON, lone surrogates included."""
    return json.dumps(value, separators=(",", ":")).encode()


def parse_by_json(encoded: bytes) -> Any:
    """Decode JSON with the standard library.

    Raises:
        ValueError: not JSON, or not UTF-8.
        RecursionError: nested too deeply.
    """
    return _parse(encoded.decode())


def parse_by_orjson(encoded: bytes) -> Any:
    """Decode JSON with orjson."""
    if _LONG not in encoded.translate(_DIGITS):
        try:
            return _orjson.loads(encoded)
        except ValueError:
            pass
    return parse_by_json(encoded)


dump = dump_by_orjson if _orjson else dump_by_json
parse = parse_by_orjson if _orjson else parse_by_json
