"""What fits a search, and that nothing hidden does."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bullworks.board.pages.search_match import FieldValue, Matcher
from bullworks.board.redaction import Redaction
from bullworks.bullmq.wire import payload

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda parts: (
        st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(["a", "token", "b.c"]), parts, max_size=3)
    ),
    max_leaves=10,
)


@given(JSON, st.text(alphabet='a1"b.=:{} ,\\[redact]', min_size=1, max_size=12))
@example({"token": '"'}, " ")
def test_a_match_never_depends_on_a_secret(data: Any, wanted: str) -> None:
    """Whatever stands below a secret key could as well be something else, be it what is shown in its place."""
    redaction = Redaction()
    matcher = Matcher(wanted, redaction)
    hidden = payload.encode(redaction.hide(data))
    assert matcher.excerpt(payload.encode(data)) == matcher.excerpt(hidden)


def test_a_field_is_asked_for_by_path_and_value() -> None:
    assert FieldValue.of("a.b=c=d") == FieldValue(("a", "b"), "c=d")
    assert [FieldValue.of(text) for text in ("plain", "=x", "a=", '{"a":"b=c"}', "two words=x")] == [None] * 5


def test_nested_lists_are_walked_once() -> None:
    nested: Any = "x"
    for _ in range(60):
        nested = [nested, nested] if nested == "x" else [nested]
    assert not FieldValue(("0",) * 31, "y").fits(nested)
    assert not FieldValue(("a",) * 31, "y").fits(nested)
    assert FieldValue((*("0",) * 59, "1"), "x").fits(nested)


def test_nothing_makes_matching_fail() -> None:
    matcher = Matcher("a.a.a.a.a.a.a.a=1", Redaction())
    for stored in (b"[" * 100_000, b"{", b"\xff\xfe", b'{"a":' * 500 + b"1" + b"}" * 500, b'"\\ud800"', b""):
        assert matcher.excerpt(stored) is None
