"""Intake: whether there may be work, whatever order answers come in."""

from __future__ import annotations

from bullworks.bullmq.worker.intake import Intake

OPEN = 0


class Unmoved:
    def intake_changed(self) -> None:
        """No part is to act on this account."""


def intake() -> Intake:
    made = Intake(5, isolates=True, longest_limit_ms=1_000, watcher=Unmoved())
    made.open()
    return made


def test_an_empty_answer_ends_the_asking() -> None:
    made = intake()
    made.reserve(5)
    made.answered(5, 0, OPEN, -1, calls=made.calls)
    assert not made.expects_work


def test_an_empty_answer_that_is_older_than_a_wake_up_does_not() -> None:
    """The marker of a job comes on the waiting connection, and may overtake an answer that knows nothing of the job."""
    made = intake()
    made.reserve(5)
    asked_after = made.calls
    made.look_again()
    made.answered(5, 0, OPEN, -1, calls=asked_after)
    assert made.expects_work, "the marker is gone: without another look the job would wait for the next one"
    made.reserve(5)
    made.answered(5, 0, OPEN, -1, calls=made.calls)
    assert not made.expects_work
