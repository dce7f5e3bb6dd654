"""Checks of options: what passes, and what each refusal says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError
from bullworks.bullmq.options import checks


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: checks.whole("o", 1.0), "o: must be a whole number >= 0, not 1.0"),
        (lambda: checks.whole("o", True), "o: must be a whole number >= 0, not True"),
        (lambda: checks.whole("o", 6, 1, 5), "o: must be a whole number, 1 .. 5, not 6"),
        (lambda: checks.flag("o", 1), "o: must be True or False, not 1"),
        (lambda: checks.text("o", ""), "o: must be a non-empty string, not ''"),
        (lambda: checks.text("o", "\ud800"), "o: '\\ud800' cannot be written as UTF-8"),
        (lambda: checks.parts("o", [], {"a"}), "o: must be a dict of a, not []"),
        (lambda: checks.parts("o", {"form": 1}, {"from"}), "o.form: unknown option; did you mean o.from?"),
    ],
)
def test_a_refusal_names_the_option_and_what_is_expected(check: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        check()
    assert str(caught.value) == message


def test_what_is_right_comes_back() -> None:
    assert checks.whole("o", 5, 1, 5) == 5
    assert checks.flag("o", False) is False
    assert checks.text("o", "ż") == "ż"
    assert checks.parts("o", {"a": None}, {"a", "b"}) == {"a": None}
