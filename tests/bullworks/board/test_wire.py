"""Job options by npm's names, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.board.errors import RefusedError
from bullworks.board.wire import engine_options, public_options


@pytest.mark.parametrize(
    ("stored", "public"),
    [
        ({}, {"attempts": 0}),
        ({"attempts": 3, "kl": 5, "fpof": True}, {"attempts": 3, "keepLogs": 5, "failParentOnFailure": True}),
        ({"de": {"id": "x"}}, {"attempts": 0, "deduplication": {"id": "x"}}),
        ({"rdof": True}, {"attempts": 0, "removeDependencyOnFailure": True}),
        ({"idof": True}, {"attempts": 0, "ignoreDependencyOnFailure": True}),
        ({"expires": {"at": 5}}, {"attempts": 0, "expires": {"at": 5}}),
        ({"backoff": 500}, {"attempts": 0, "backoff": {"type": "fixed", "delay": 500}}),
        ({"backoff": {"type": "own"}}, {"attempts": 0, "backoff": {"type": "own"}}),
        ({"tm": "trace", "omc": True}, {"attempts": 0, "telemetry": {"metadata": "trace", "omitContext": True}}),
        ({"repeatJobKey": "nightly", "unheard": [1]}, {"attempts": 0, "unheard": [1]}),
        ("no object", {"attempts": 0}),
    ],
)  # fmt: skip
def test_stored_options_are_shown_by_their_public_names(stored: Any, public: dict[str, Any]) -> None:
    assert public_options(stored) == public


def test_public_options_are_the_engines() -> None:
    given = {
        "attempts": 3, "backoff": {"type": "fixed", "delay": 5}, "removeOnComplete": {"age": 5, "count": 6},
        "jobId": "x", "lifo": True, "keepLogs": 4, "deduplication": {"id": "d", "keepLastIfActive": True},
        "expires": {"at": 7},
        "delay": None, "repeat": {"every": 5, "endDate": 9, "limit": None}, "parent": {"id": "p", "queue": "bull:q"},
    }  # fmt: skip
    assert engine_options(given) == {
        "attempts": 3, "backoff": {"type": "fixed", "delay": 5}, "remove_on_complete": {"age": 5, "count": 6},
        "job_id": "x", "lifo": True, "keep_logs": 4, "deduplication": {"id": "d", "keep_last_if_active": True},
        "expires": {"at": 7},
        "repeat": {"every": 5, "end_date": 9}, "parent": {"id": "p", "queue": "bull:q"},
    }  # fmt: skip


def test_an_option_that_nobody_knows_is_refused_by_name_or_left_out() -> None:
    with pytest.raises(RefusedError, match="there is no job option 'atempts'"):
        engine_options({"atempts": 3})
    assert engine_options({"atempts": 3, "attempts": 2}, ignore_unknown=True) == {"attempts": 2}
