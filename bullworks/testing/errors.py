"""What is wrong with a test's set-up: raised where it is made, never silently passed over."""

from collections.abc import Sequence

from bullworks.core import CoreError


class TestingError(CoreError):
    """Base of the errors of this package."""

    __test__ = False


class UnknownOverrideError(TestingError):
    """A test overrides something that its modules neither have nor need: a changed name, or a module left out."""

    def __init__(self, call: str, wanted: str, what: str, near: str | None, known: Sequence[str]) -> None:
        super().__init__(call, wanted, what, near, tuple(known))
        self.call = call
        self.wanted = wanted
        self.what = what
        self.near = near
        self.known = tuple(known)

    def __str__(self) -> str:
        advice = f"did you mean {self.near}?" if self.near else f"there are: {', '.join(self.known) or 'none'}"
        return f"{self.call}({self.wanted}): {self.what}; {advice}"


class NotSimulatedError(TestingError):
    """A test asked a QueueHarness for something that only a real queue does."""

    def __init__(self, queue: str, thing: str) -> None:
        super().__init__(queue, thing)
        self.queue = queue
        self.thing = thing

    def __str__(self) -> str:
        return (
            f"the harness of queue {self.queue!r} does not simulate {self.thing}; test that on a real server, "
            "with the fixture bull_queue"
        )


class RunawayError(TestingError):
    """The jobs of a harness never come to an end."""

    def __init__(self, queue: str, runs: int) -> None:
        super().__init__(queue, runs)
        self.queue = queue
        self.runs = runs

    def __str__(self) -> str:
        return (
            f"the harness of queue {self.queue!r} has run {self.runs} attempts in one call and there is more to do; "
            "does a job add itself again? Raise most_runs= if not"
        )


class HarnessSetupError(TestingError):
    """A harness cannot run jobs with the given processors; `problem` says why, and what to write."""

    def __init__(self, queue: str, problem: str) -> None:
        super().__init__(queue, problem)
        self.queue = queue
        self.problem = problem

    def __str__(self) -> str:
        return f"the harness of queue {self.queue!r} {self.problem}"


class NoHarnessError(TestingError):
    """Flow jobs would have relatives in queues without a harness; nothing was added."""

    def __init__(self, wanted_for: str, queues: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(wanted_for, tuple(queues), tuple(known))
        self.wanted_for = wanted_for
        self.queues = tuple(queues)
        self.known = tuple(known)

    def __str__(self) -> str:
        missing, known = (" and ".join(map(repr, names)) for names in (self.queues, self.known))
        calls = "".join(f'.use_harness(QueueHarness("{name}"))' for name in self.queues)
        of = f"the queue {missing}, which has" if len(self.queues) == 1 else f"the queues {missing}, which have"
        return (
            f"{self.wanted_for} is of {of} no harness; there is one for {known or 'no queue'}. In a testing module add "
            f"{calls}; elsewhere give HarnessFlowProducer one for each queue"
        )


class UnnamedServerError(TestingError):
    """Something in a testing module tried to connect to a server that the test did not name."""

    def __init__(self, wanted: str, server: str, ways: Sequence[str]) -> None:
        super().__init__(wanted, server, tuple(ways))
        self.wanted = wanted
        self.server = server
        self.ways = tuple(ways)

    def __str__(self) -> str:
        ways = "; or ".join(self.ways)
        return f"{self.wanted} would connect to {self.server}, which this test did not name. In the test, {ways}"
