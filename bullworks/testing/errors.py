"""What is wrong with a test's set-up: raised where it is made, never silently passed over."""

from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.core import CoreError


class TestingError(CoreError):
    """Base of the errors of this package."""

    __test__ = False


@dataclass(eq=False)
class UnknownOverrideError(TestingError):
    """A test overrides something that its modules neither have nor need: a changed name, or a module left out."""

    call: str
    wanted: str
    what: str
    near: str | None
    known: Sequence[str]

    def __str__(self) -> str:
        advice = f"did you mean {self.near}?" if self.near else f"there are: {', '.join(self.known) or 'none'}"
        return f"{self.call}({self.wanted}): {self.what}; {advice}"


@dataclass(eq=False)
class NotSimulatedError(TestingError):
    """A test asked a QueueHarness for something that only a real queue does."""

    queue: str
    thing: str

    def __str__(self) -> str:
        return (
            f"the harness of queue {self.queue!r} does not simulate {self.thing}; test that on a real server, "
            "with the fixture bull_queue"
        )


@dataclass(eq=False)
class RunawayError(TestingError):
    """The jobs of a harness never come to an end."""

    queue: str
    runs: int

    def __str__(self) -> str:
        return (
            f"the harness of queue {self.queue!r} has run {self.runs} attempts in one call and there is more to do; "
            "does a job add itself again? Raise most_runs= if not"
        )


@dataclass(eq=False)
class HarnessSetupError(TestingError):
    """A harness cannot run jobs with the given processors; `problem` says why, and what to write."""

    queue: str
    problem: str

    def __str__(self) -> str:
        return f"the harness of queue {self.queue!r} {self.problem}"


@dataclass(eq=False)
class NoHarnessError(TestingError):
    """Flow jobs would have relatives in queues without a harness; nothing was added."""

    wanted_for: str
    queues: Sequence[str]
    known: Sequence[str]

    def __str__(self) -> str:
        missing, known = (" and ".join(map(repr, names)) for names in (self.queues, self.known))
        calls = "".join(f'.use_harness(QueueHarness("{name}"))' for name in self.queues)
        of = f"the queue {missing}, which has" if len(self.queues) == 1 else f"the queues {missing}, which have"
        return (
            f"{self.wanted_for} is of {of} no harness; there is one for {known or 'no queue'}. In a testing module add "
            f"{calls}; elsewhere give HarnessFlowProducer one for each queue"
        )


@dataclass(eq=False)
class UnnamedServerError(TestingError):
    """Something in a testing module tried to connect to a server that the test did not name."""

    wanted: str
    server: str
    ways: Sequence[str]

    def __str__(self) -> str:
        ways = "; or ".join(self.ways)
        return f"{self.wanted} would connect to {self.server}, which this test did not name. In the test, {ways}"
