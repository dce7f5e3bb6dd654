"""Options between Python and Redis, under BullMQ's names."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.bullmq import Backoff, JobOpts, Retention
from bullworks.bullmq.options.expiry import Expiry
from bullworks.bullmq.options.job import CHECKS
from bullworks.bullmq.wire.codec import decode_opts, encode_opts
from bullworks.bullmq.wire.job_options import ROWS

counts = st.integers(0, 10**6)
retentions = st.builds(Retention, counts) | st.just(Retention()) | st.builds(Retention, counts, counts)
backoffs = st.builds(
    Backoff, st.sampled_from(["fixed", "exponential", "mine"]), counts, st.sampled_from([0.0, 0.25, 1.0])
)
expiries = st.builds(Expiry, st.integers(1, 10**6)) | st.builds(Expiry, st.none(), counts)
all_opts = st.builds(
    JobOpts,
    attempts=counts,
    backoff=st.none() | backoffs,
    delay_ms=counts,
    priority=st.integers(0, 2**21 - 1),
    lifo=st.booleans(),
    remove_on_complete=st.none() | retentions,
    remove_on_fail=st.none() | retentions,
    job_id=st.none() | st.text("abcż", min_size=1),
    timestamp=st.none() | counts,
    timeout_ms=st.none() | st.integers(1, 10**6),
    expires=st.none() | expiries,
    keep_logs=st.none() | counts,
    stack_trace_limit=st.none() | counts,
    size_limit=st.none() | st.integers(1, 10**6),
)


def test_every_option_has_its_row_on_the_wire() -> None:
    assert {row.name for row in ROWS} == set(CHECKS) - {
        "group",
        "repeat",
    }  # stored in the job's hash; stored with its scheduler
    assert {row.field or row.name for row in ROWS} == {field.name for field in fields(JobOpts)} - {"encoded"}


@given(all_opts)
def test_options_come_back_as_they_were(opts: JobOpts) -> None:
    assert decode_opts(encode_opts(opts)) == opts


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.integers()), max_size=5))
def test_options_that_anybody_wrote_can_be_read(wire: dict[str, Any]) -> None:
    assert isinstance(decode_opts(json.dumps(wire).encode()), JobOpts)


def test_options_stand_under_bullmqs_names() -> None:
    opts = JobOpts(
        attempts=3,
        backoff=Backoff.exponential(1000, jitter=0.5),
        delay_ms=5,
        priority=1,
        lifo=True,
        remove_on_complete=Retention(count=0),
        remove_on_fail=Retention(),
        job_id="a",
        timestamp=7,
        timeout_ms=8,
        expires=Expiry(within_ms=12),
        keep_logs=9,
        stack_trace_limit=10,
        size_limit=11,
    )
    assert json.loads(encode_opts(opts)) == {
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 1000, "jitter": 0.5},
        "delay": 5,
        "priority": 1,
        "lifo": True,
        "removeOnComplete": True,
        "removeOnFail": False,
        "jobId": "a",
        "timestamp": 7,
        "timeout": 8,
        "expires": 12,
        "kl": 9,
        "stackTraceLimit": 10,
        "sizeLimit": 11,
    }


def test_a_job_without_options_has_bullmqs_default_only() -> None:
    assert encode_opts(JobOpts()) == b'{"attempts":0}'


def test_an_option_that_makes_no_sense_is_left_out_and_the_rest_is_kept() -> None:
    assert decode_opts(b'{"attempts":3,"delay":"soon","priority":-1,"backoff":{},"lifo":null}') == JobOpts(attempts=3)


def test_an_id_that_node_took_is_kept_whatever_we_think_of_it() -> None:
    assert decode_opts(b'{"jobId":"repeat:a:17"}').job_id == "repeat:a:17"
    assert decode_opts(b'{"jobId":17}').job_id == "17"


@pytest.mark.parametrize("encoded", [b"[]", b"null", b'"text"', b"5"])
def test_options_that_are_no_object_are_none(encoded: bytes) -> None:
    assert decode_opts(encoded) == JobOpts()


def test_options_that_are_not_json_raise() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever json says
        decode_opts(b"{")
