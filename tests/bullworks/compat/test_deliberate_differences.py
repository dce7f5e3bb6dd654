"""Where ours differs from npm bullmq on purpose, it differs exactly so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bullworks.compat.comparison import Comparison
from tests.bullworks.compat.scenarios.differing import DIFFERENCES
from tests.bullworks.compat.scenarios.stricter import REFUSALS


@pytest.mark.parametrize("name", DIFFERENCES)
async def test_it_shows_as_it_is_said(comparison: Comparison, name: str) -> None:
    difference = DIFFERENCES[name]
    found = await comparison.differences(difference.steps)
    expected = difference.shows
    assert found.keys() == expected.keys()
    assert {path: _masked(both, expected[path]) for path, both in found.items()} == expected


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in REFUSALS for name in REFUSALS[kind].refused])
async def test_it_is_refused_here_only_and_nothing_is_stored(comparison: Comparison, kind: str, name: str) -> None:
    refusal = REFUSALS[kind]
    before, step = list(refusal.before), refusal.refused[name]
    theirs, ours = await comparison.in_node([*before, step]), await comparison.in_python([*before, step])
    assert not (isinstance(theirs.answers[-1], dict) and "error" in theirs.answers[-1])
    assert ours.answers[-1] == {"error": "refused"}
    assert ours.keys == (await comparison.in_python(before)).keys


def _masked(both: tuple[Any, Any], expected: tuple[Any, Any]) -> tuple[Any, ...]:
    return tuple(... if wanted is ... else one for one, wanted in zip(both, expected, strict=True))
