"""Where ours differs from npm bullmq on purpose, it differs exactly so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bullworks.compat.comparison import Comparison
from tests.bullworks.compat.scenarios.differing import DIFFERENCES


@pytest.mark.parametrize("name", DIFFERENCES)
async def test_it_shows_as_it_is_said(comparison: Comparison, name: str) -> None:
    difference = DIFFERENCES[name]
    found = await comparison.differences(difference.steps)
    expected = difference.shows
    assert found.keys() == expected.keys()
    assert {path: _masked(both, expected[path]) for path, both in found.items()} == expected


def _masked(both: tuple[Any, Any], expected: tuple[Any, Any]) -> tuple[Any, ...]:
    return tuple(... if wanted is ... else one for one, wanted in zip(both, expected, strict=True))
