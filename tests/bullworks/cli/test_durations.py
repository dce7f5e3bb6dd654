"""Durations as a person types them."""

from __future__ import annotations

import pytest
import typer

from bullworks.cli.durations import milliseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1500", 1_500),
        ("20ms", 20),
        ("5s", 5_000),
        ("1.5m", 90_000),
        ("24h", 86_400_000),
        ("7 D", 604_800_000),
    ],
)
def test_a_number_is_milliseconds_and_a_unit_says_otherwise(text: str, expected: int) -> None:
    assert milliseconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5 weeks", "1e3", "٣s", "s", "5s5s"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="5s, 10m, 24h or 7d"):
        milliseconds(text)
