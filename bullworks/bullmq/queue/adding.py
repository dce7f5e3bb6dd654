"""Adding: what may surround the adding of jobs by a Queue or a FlowProducer, and what that knows of their queues."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.wire.payload_type import PayloadTypes

T = TypeVar("T")


@dataclass(slots=True)
class JobToAdd:
    """A job that is about to be added: as the caller gave it, nothing is checked yet.

    Args:
        queue_name: where to.
        name: of the job; which one it is, and where it goes, stays as it is.
        data: the payload; may be replaced.
        opts: its options, see JobOptions; may be changed.
    """

    queue_name: str
    name: str
    data: Any
    opts: dict[str, Any]


class Adding(Protocol):
    """Surrounds each call that adds jobs; a queue without one pays a look at `Queue.adding`."""

    async def around(self, jobs: list[JobToAdd], store: Callable[[], Awaitable[T]]) -> T:
        """Await `store()`, which stores the jobs as they are by then, and return what it returns; or raise."""
        ...


class QueueTypes(Protocol):
    """Knows what the jobs of queues hold, for a FlowProducer, which adds to many."""

    def of(self, keys: QueueKeys) -> PayloadTypes | None:
        """The payload types of a queue; None means any JSON."""
        ...


class FlowsToAdd:
    """Flows with their jobs as JobToAdd.

    Args:
        flows: as a FlowProducer takes them; they are copied.
    """

    def __init__(self, flows: Iterable[Mapping[str, Any]]) -> None:
        self._parts: list[tuple[dict[str, Any], JobToAdd]] = []
        self._roots = [self._copied(flow) for flow in flows]

    @property
    def jobs(self) -> list[JobToAdd]:
        """All jobs of all flows, parents before their children."""
        return [job for _, job in self._parts]

    def flows(self) -> list[Any]:
        """The flows, with data and options as their jobs have them now."""
        for part, job in self._parts:
            part["data"], part["opts"] = job.data, job.opts
        return list(self._roots)

    def _copied(self, flow: Mapping[str, Any]) -> dict[str, Any]:
        copy = dict(flow)
        queue_name, name = flow.get("queue_name", ""), flow.get("name", "")
        self._parts.append((copy, JobToAdd(queue_name, name, flow.get("data", {}), dict(flow.get("opts") or {}))))
        if flow.get("children"):
            copy["children"] = [self._copied(child) for child in flow["children"]]
        return copy
