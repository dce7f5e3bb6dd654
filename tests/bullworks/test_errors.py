"""Errors are made of their facts, however they are given."""

from __future__ import annotations

import pickle

import pytest

from bullworks.bullmq import JobWaitTimeoutError, PartlyAddedError
from bullworks.core import UnknownProviderError
from bullworks.errors import FactError
from bullworks.extras import MissingExtraError
from bullworks.redis import BadUrlError


@pytest.mark.parametrize(
    ("by_name", "by_position"),
    [
        (BadUrlError(url="redis://h", reason="no", hint="do"), BadUrlError("redis://h", "no", "do")),
        (JobWaitTimeoutError(job_id="1", queue_name="q", ttl_ms=5), JobWaitTimeoutError("1", "q", 5)),
        (MissingExtraError(extra="web", part="it", packages=("a",)), MissingExtraError("web", "it", ("a",))),
        (
            UnknownProviderError(wanted="a", module="m", near=None, known=["b"]),
            UnknownProviderError("a", "m", None, ["b"]),
        ),
    ],
)
def test_facts_are_args_by_name_too_and_survive_pickling(by_name: FactError, by_position: FactError) -> None:
    copy = pickle.loads(pickle.dumps(by_name))
    assert type(copy) is type(by_position)
    assert copy.args == by_name.args == by_position.args
    assert vars(copy) == vars(by_position)
    assert str(copy) == str(by_position)


def test_stored_jobs_are_in_order_after_pickling() -> None:
    error = PartlyAddedError("jobs", {2: "c", 0: "a"}, 3, ValueError("why"))
    assert list(pickle.loads(pickle.dumps(error)).stored) == [0, 2]
