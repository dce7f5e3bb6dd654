"""Job options: what is taken, and what each refusal says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bullworks.bullmq import Backoff, InvalidOptionError, JobOptions, JobOpts, Retention
from bullworks.bullmq.keys import RESERVED_IDS
from bullworks.bullmq.options.expiry import Expiry
from bullworks.bullmq.options.job import CHECKS


def test_everything_that_can_be_said_is_understood() -> None:
    opts = JobOpts.of(
        {
            "attempts": 3,
            "backoff": {"type": "exponential", "delay": 1000},
            "delay": timedelta(seconds=5),
            "priority": 2**21 - 1,
            "lifo": True,
            "remove_on_complete": True,
            "remove_on_fail": {"age": 60},
            "job_id": "order-17",
            "timestamp": 1_700_000_000_000,
            "timeout": 30_000,
            "expires": datetime(2030, 1, 1, tzinfo=UTC),
            "keep_logs": 0,
            "stack_trace_limit": 0,
            "size_limit": 1,
        }
    )
    assert opts == JobOpts(
        attempts=3,
        backoff=Backoff.exponential(1000),
        delay_ms=5000,
        priority=2**21 - 1,
        lifo=True,
        remove_on_complete=Retention(count=0),
        remove_on_fail=Retention(age_s=60),
        job_id="order-17",
        timestamp=1_700_000_000_000,
        timeout_ms=30_000,
        expires=Expiry(at_ms=1_893_456_000_000),
        keep_logs=0,
        stack_trace_limit=0,
        size_limit=1,
    )


def test_options_that_python_calls_equal_are_told_apart() -> None:
    assert JobOpts.of({"remove_on_complete": True}).remove_on_complete == Retention(count=0)
    assert JobOpts.of({"remove_on_complete": 1}).remove_on_complete == Retention(count=1)
    assert JobOpts.of({"lifo": True}).lifo
    with pytest.raises(InvalidOptionError, match="lifo"):
        JobOpts.of({"lifo": 1})


def test_none_is_the_same_as_not_given() -> None:
    assert JobOpts.of(dict.fromkeys(CHECKS)) == JobOpts()


def test_what_the_type_names_is_what_is_checked() -> None:
    assert set(JobOptions.__annotations__) == set(CHECKS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retries": 3}, "retries: unknown option; did you mean attempts?"),
        ({"max_retries": 3}, "max_retries: unknown option; did you mean attempts?"),
        ({"countdown": 3}, "countdown: unknown option; did you mean delay?"),
        ({"atempts": 3}, "atempts: unknown option; did you mean attempts"),
        ({"removeOnComplete": True}, "removeOnComplete: unknown option; did you mean remove_on_complete"),
        ({"zzz": 1}, "zzz: unknown option; known: attempts, backoff, "),
        ({"attempts": -1}, "attempts: must be a whole number >= 0, not -1"),
        ({"attempts": "3"}, "attempts: .*'3'"),
        ({"attempts": True}, "attempts: "),
        ({"delay": -1}, "delay: must be 0 .. .* -1"),
        ({"delay": 1.5}, "delay: .*1.5"),
        ({"delay": float("nan")}, "delay: .*nan"),
        ({"delay": timedelta(days=-1)}, "delay: "),
        ({"delay": 2**60}, "delay: "),
        ({"priority": -1}, "priority: .*0 .. 2097151, not -1"),
        ({"priority": 2**21}, "priority: .*2097151"),
        ({"priority": 1.5}, "priority: .*1.5"),
        ({"lifo": 1}, "lifo: must be True or False"),
        ({"timestamp": -1}, "timestamp: "),
        ({"timeout": 0}, "timeout: must be 1 "),
        ({"expires": 0}, "expires: must be 1 "),
        ({"expires": "soon"}, "expires: must be whole milliseconds or a timedelta, not 'soon'"),
        ({"expires": datetime(2030, 1, 1)}, "expires: .* has no time zone"),  # noqa: DTZ001 - just that
        ({"expires": {"at": "2030"}}, "expires.at: must be ms since the epoch or a datetime, not"),
        ({"expires": {"at": 1, "in": 2}}, "expires: must be a duration, a datetime or "),
        ({"keep_logs": -1}, "keep_logs: "),
        ({"stack_trace_limit": 1.0}, "stack_trace_limit: "),
        ({"size_limit": 0}, "size_limit: "),
        ({"backoff": {"type": "fixed", "jitter": 2}}, "backoff.jitter: "),
        ({"remove_on_fail": "yes"}, "remove_on_fail: "),
    ],
)
def test_a_bad_option_is_refused_by_name_and_value(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        JobOpts.of(options)


@pytest.mark.parametrize(
    "job_id",
    ["a", "order-17", "żółć", "1a", "1.5", "a:b:c", "x" * 1000, "with space", "007", "1" * 5000, "--5", "+1", "\u0663"],
)
def test_an_id_of_ones_own_is_taken(job_id: str) -> None:
    assert JobOpts.of({"job_id": job_id}).job_id == job_id


@pytest.mark.parametrize(
    "job_id", ["", "0", "17", "9" * 16, "-5", "-05", "-1.5", "0:a", "0:1:2", "a:b", "a:b:c:d", "\ud800", 5, 1.5, b"a"]
)
def test_an_id_that_would_not_work_in_redis_is_refused(job_id: object) -> None:
    with pytest.raises(InvalidOptionError, match="job_id: "):
        JobOpts.of({"job_id": job_id})


@pytest.mark.parametrize("job_id", sorted(RESERVED_IDS))
def test_the_name_of_a_key_of_the_queue_is_no_id(job_id: str) -> None:
    with pytest.raises(InvalidOptionError, match="one of the queue's own keys"):
        JobOpts.of({"job_id": job_id})
