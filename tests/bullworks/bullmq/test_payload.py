"""What can be stored as JSON: everything JSON has, exactly, and nothing else."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.bullmq import InvalidPayloadError
from bullworks.bullmq.wire import json_text, payload
from bullworks.bullmq.wire.payload import DEEPEST, LARGEST_BYTES, decode, encode

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


@pytest.fixture(scope="module", autouse=True, params=["json", "orjson"])
def encoder(request: pytest.FixtureRequest) -> Iterator[None]:
    """With the extra `fast`, and without it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(payload, "dump", getattr(json_text, f"dump_by_{request.param}"))
        patched.setattr(payload, "parse", getattr(json_text, f"parse_by_{request.param}"))
        yield


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@given(values)
def test_every_json_value_comes_back_as_it_was(value: Any) -> None:
    assert decode(encode(value)) == value


@given(values)
def test_what_is_stored_is_what_any_reader_of_json_reads(value: Any) -> None:
    assert json.loads(encode(value)) == json.loads(json.dumps(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_value_error(encoded: bytes) -> None:
    try:
        value = decode(encoded)
    except ValueError:
        return
    assert json.dumps(value) is not None


def test_text_stays_text_and_takes_no_needless_space() -> None:
    assert encode({"a": "żółć", "b": [1, 2.5]}) == '{"a":"żółć","b":[1,2.5]}'.encode()


def test_a_lone_surrogate_is_escaped_as_javascript_does() -> None:
    assert encode({"a": "\ud83d"}) == b'{"a":"\\ud83d"}'


def test_tuples_and_subclasses_are_stored_as_what_they_are() -> None:
    assert decode(encode({"t": (1, 2), "o": OrderedDict(a=1), "e": Colour.RED, "i": Level.HIGH})) == {
        "t": [1, 2],
        "o": {"a": 1},
        "e": "red",
        "i": 3,
    }


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (float("nan"), "$"),
        ({"a": float("inf")}, "$.a"),
        ({"a": [1, float("-inf")]}, "$.a[1]"),
        (datetime(2026, 1, 1), "$"),  # noqa: DTZ001 - any will do
        ({"when": datetime(2026, 1, 1)}, "$.when"),  # noqa: DTZ001
        ({"a": {"b": [0, {"c": UUID(int=1)}]}}, "$.a.b[1].c"),
        ([Decimal(1)], "$[0]"),
        ({"s": {1, 2}}, "$.s"),
        ({"b": b"bytes"}, "$.b"),
        ({1: "a"}, "$"),
        ({"a": {None: 1}}, "$.a"),
        (object(), "$"),
    ],
)
def test_what_is_not_json_is_refused_with_its_path(value: object, path: str) -> None:
    with pytest.raises(InvalidPayloadError) as caught:
        encode(value)
    assert caught.value.path == path


def test_a_number_with_more_digits_than_python_prints_is_refused() -> None:
    with pytest.raises(InvalidPayloadError, match="digits"):
        encode({"n": [10**5000]})


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_has_a_limit_that_is_named() -> None:
    assert decode(encode(nested(DEEPEST))) == nested(DEEPEST)
    with pytest.raises(InvalidPayloadError, match=f"deeper than {DEEPEST}"):
        encode(nested(DEEPEST + 1))


def test_a_value_that_holds_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(InvalidPayloadError, match="holds itself"):
        encode(value)


def test_size_has_a_limit_that_is_named() -> None:
    with pytest.raises(InvalidPayloadError, match=f"the limit is {LARGEST_BYTES}"):
        encode("x" * LARGEST_BYTES)
    assert encode("x" * 8, limit_bytes=10) == b'"xxxxxxxx"'
    with pytest.raises(InvalidPayloadError, match="is 11 bytes of JSON; the limit is 10"):
        encode("x" * 9, limit_bytes=10)


@pytest.mark.parametrize("encoded", [b"", b"{", b"undefined", b"\xff", b"[" * 100_000, b"1" * 5000])
def test_what_is_not_json_cannot_be_read(encoded: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever json says
        decode(encoded)
