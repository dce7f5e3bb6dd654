"""orjson, where it is installed, gives what the standard library gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.bullmq.wire.json_text import dump_by_json, dump_by_orjson, parse_by_json, parse_by_orjson

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
ODD_TEXTS = [
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    '{"id":123456789012345678901234567890}',
    "1000000000000000000",
    "0.1234567890123456789",
    "1e999",
    "-0",
    "-0.0",
    "1E5",
    "NaN",
    "-Infinity",
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    "[1,]",
    "01",
    "",
    " 1 ",
    '{"a":1,"a":2}',
    '"\x01"',
    "\ufeff1",
    "[" * 2_000 + "]" * 2_000,
]


def outcome(parse: Any, encoded: bytes) -> tuple[str, str]:
    try:
        value = parse(encoded)
    except ValueError:
        return "refused", ""
    except RecursionError:
        return "too deep", ""
    return "read", repr(value)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda text: text[:24] or "nothing")
def test_an_odd_text_is_read_alike_or_refused_by_both(text: str) -> None:
    assert outcome(parse_by_orjson, text.encode()) == outcome(parse_by_json, text.encode())


@given(values)
def test_each_reads_what_the_standard_library_wrote(value: Any) -> None:
    encoded = json.dumps(value).encode()
    assert repr(parse_by_orjson(encoded)) == repr(parse_by_json(encoded))


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_alike_or_refused_by_both(encoded: bytes) -> None:
    assert outcome(parse_by_orjson, encoded) == outcome(parse_by_json, encoded)


@given(values)
def test_what_either_writes_is_one_value(value: Any) -> None:
    try:
        expected = dump_by_json(value)
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            dump_by_orjson(value)
        return
    assert repr(parse_by_json(dump_by_orjson(value))) == repr(parse_by_json(expected))
