"""Errors keep their facts, say what happened to which job, and survive pickling."""

from __future__ import annotations

import pickle

import pytest

from bullworks.bullmq import errors
from bullworks.bullmq.errors import (
    InvalidOptionError,
    InvalidPayloadError,
    JobChildrenError,
    JobExpiredError,
    JobLockedError,
    JobNotFoundError,
    JobStateError,
    JobTimeoutError,
    LockLostError,
    QueueError,
    SchedulerJobError,
    WrongKeyTypeError,
    outcome_error,
)
from bullworks.bullmq.sync.loop import LoopBlockedError

EXAMPLES: list[QueueError] = [
    InvalidOptionError("attempts", "must be 1 or more"),
    InvalidPayloadError("$.user", "is a datetime"),
    JobNotFoundError("7", "log"),
    LockLostError("7", "storing its outcome"),
    JobLockedError("7", "remove"),
    JobStateError("7", "retry", "failed"),
    JobChildrenError("7", "a child failed"),
    WrongKeyTypeError("7", "WRONGTYPE bull:q:wait is a string"),
    JobTimeoutError("7", 500),
    JobExpiredError.of("7", 1_700_000_000_000, 1_700_000_000_500),
    SchedulerJobError("repeat:a:1", "remove"),
    LoopBlockedError(30.0),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickling(error: QueueError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_names_its_facts(error: QueueError) -> None:
    for fact in [fact for fact in vars(error).values() if not isinstance(fact, bool)]:
        assert str(fact).removesuffix(".0") in str(error)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (-1, JobNotFoundError),
        (-2, LockLostError),
        (-3, JobStateError),
        (-4, JobChildrenError),
        (-6, LockLostError),
        (-8, SchedulerJobError),
        (-9, JobChildrenError),
        (-10, JobLockedError),
        (-99, QueueError),
        (b"WRONGTYPE bull:q:1 is a list, not a hash", WrongKeyTypeError),
    ],
)
def test_each_code_of_a_script_becomes_its_error(code: int | bytes, expected: type[QueueError]) -> None:
    error = outcome_error(code, "7", "the operation")
    assert type(error) is expected
    assert "job 7" in str(error)


def test_the_state_that_was_needed_is_named() -> None:
    assert "promote needs it to be delayed" in str(outcome_error(-3, "7", "promote", needed="delayed"))


def test_mistakes_of_the_caller_are_value_errors_too() -> None:
    assert issubclass(InvalidOptionError, ValueError)
    assert issubclass(InvalidPayloadError, ValueError)


def test_every_error_but_the_handlers_own_has_the_common_base() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    handlers_own = (errors.UnrecoverableError, errors.MovedError, errors.RateLimitError)
    assert [kind.__name__ for kind in classes if not issubclass(kind, (QueueError, *handlers_own))] == []


def test_an_unknown_option_with_no_near_name_lists_all() -> None:
    assert str(InvalidOptionError.unknown("zzz", ["b", "a"])) == "zzz: unknown option; known: a, b"
