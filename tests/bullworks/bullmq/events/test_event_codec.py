"""Entries of the event stream: BullMQ's by name, others as they are, and what is no event."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError, MalformedEventError
from bullworks.bullmq.events.event_id import BEFORE_ALL, EventId, checked_id
from bullworks.bullmq.wire.event_codec import STREAM_EVENTS, read_entry

DECODED: list[tuple[list[bytes], str, dict[str, Any]]] = [
    ([b"added", b"jobId", b"1", b"name", b"mail"], "added", {"job_id": "1", "name": "mail"}),
    ([b"waiting", b"jobId", b"1", b"prev", b"delayed"], "waiting", {"job_id": "1", "prev": "delayed"}),
    ([b"delayed", b"jobId", b"1", b"delay", b"1700000000000"], "delayed", {"job_id": "1", "delay": 1_700_000_000_000}),
    ([b"delayed", b"jobId", b"1", b"delay", b"1.5"], "delayed", {"job_id": "1", "delay": 1.5}),
    ([b"progress", b"jobId", b"1", b"data", b'{"a":[1]}'], "progress", {"job_id": "1", "data": {"a": [1]}}),
    ([b"completed", b"jobId", b"1", b"returnvalue", b"null"], "completed", {"job_id": "1", "returnvalue": None}),
    (
        [b"failed", b"jobId", b"1", b"failedReason", b"5", b"prev", b"active"],
        "failed",
        {"job_id": "1", "failed_reason": "5", "prev": "active"},
    ),
    (
        [b"retries-exhausted", b"jobId", b"1", b"attemptsMade", b"3"],
        "retries_exhausted",
        {"job_id": "1", "attempts_made": 3},
    ),
    ([b"waiting-children", b"jobId", b"1"], "waiting_children", {"job_id": "1"}),
    (
        [b"deduplicated", b"jobId", b"1", b"deduplicationId", b"d", b"deduplicatedJobId", b"2"],
        "deduplicated",
        {"job_id": "1", "deduplication_id": "d", "deduplicated_job_id": "2"},
    ),
    ([b"cleaned", b"count", b"7"], "cleaned", {"count": 7}),
    ([b"drained"], "drained", {}),
]


@pytest.mark.parametrize(("entry", "name", "args"), DECODED, ids=lambda value: value if isinstance(value, str) else "")
def test_bullmqs_events_have_python_names_and_values(entry: list[bytes], name: str, args: dict[str, Any]) -> None:
    event = read_entry([b"1-0", [b"event", *entry]])
    assert (event.name, event.args()) == (name, args)
    assert event.name in STREAM_EVENTS


def test_an_event_of_somebodys_own_is_passed_on_as_it_lies_there() -> None:
    event = read_entry([b"1-0", [b"event", b"my-event", b"jobId", b"1", b"returnvalue", b"{", b"caf\xe9", b"\xff"]])
    assert event.name is None
    assert event.custom_name == "my-event"
    assert event.job_id == "1"
    assert event.args() == {"jobId": "1", "returnvalue": "{", "caf\ufffd": "\ufffd"}


@pytest.mark.parametrize(
    "entry",
    [[b"1-0", None], [b"1-0", []], [b"1-0", [b"name", b"added"]], [b"1-0", [b"event"]], [b"1-0", [b"event", b""]]],
    ids=repr,
)
def test_an_entry_without_a_name_is_malformed(entry: Any) -> None:
    with pytest.raises(MalformedEventError, match="event 1-0 was left out: it has no name"):
        read_entry(entry)


@pytest.mark.parametrize(
    "fields",
    [
        [b"completed", b"returnvalue", b"{"],
        [b"completed", b"returnvalue", b"\xff"],
        [b"progress", b"data", b""],
        [b"delayed", b"delay", b"soon"],
        [b"cleaned", b"count", b"many"],
    ],
    ids=repr,
)
def test_a_field_that_bullmq_would_not_write_is_malformed(fields: list[bytes]) -> None:
    event = read_entry([b"1-0", [b"event", *fields]])
    with pytest.raises(MalformedEventError, match=f"{fields[1].decode()} of {fields[0].decode()} cannot be read"):
        event.args()


def test_ids_are_ordered_by_time_and_then_by_number() -> None:
    assert EventId.of(b"9-1") < EventId.of(b"10-0") < EventId.of(b"10-2") < EventId.of(b"10-10")
    assert EventId.of(b"") == BEFORE_ALL
    assert str(EventId.of(b"1700000000000-5")) == "1700000000000-5"


def test_a_given_id_may_lack_its_number() -> None:
    assert checked_id("1700000000000", "last_event_id") == EventId(1_700_000_000_000, 0)
    assert checked_id("0-0", "last_event_id") == BEFORE_ALL
    assert checked_id("$", "last_event_id") is None


@pytest.mark.parametrize("value", ["", "-", "1-", "x", "1-x", "+", "1 ", "1-0-0", 5, None, b"1-0", "\u0661"])
def test_what_is_no_id_is_refused(value: Any) -> None:
    with pytest.raises(InvalidOptionError, match="last_event_id: must be an event's id"):
        checked_id(value, "last_event_id")
