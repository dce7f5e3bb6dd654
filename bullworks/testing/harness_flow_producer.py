"""HarnessFlowProducer: the FlowProducer that services get while harnesses run its jobs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bullworks.bullmq import FlowJob, FlowProducer, JobNode, JobOptions
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.testing.errors import NoHarnessError
from bullworks.testing.harness import QueueHarness
from bullworks.testing.memory.flows import add_flow, join
from bullworks.testing.memory.job import PREFIX
from bullworks.testing.memory.no_server import NoServerConnection


class HarnessFlowProducer(FlowProducer):
    """A FlowProducer whose flows go to harnesses, by the names of their queues.

        orders, lines = QueueHarness("orders", ship), QueueHarness("lines", pack)
        flows = HarnessFlowProducer(orders, lines)
        children = [{"name": "pack", "queue_name": "lines"}]
        await flows.add({"name": "ship", "queue_name": "orders", "children": children})
        await lines.drain()
        await orders.drain()

    From then on jobs of these harnesses can be each other's parents and children, and of no others. Each keeps its own
    clock. Prefixes that flows name make no difference. In a testing module `use_harness` does all that.

    Args:
        harnesses: one for each queue; of two for one queue the last counts.
        beyond: adds the flows of which no job is for a harness; None means they are refused.
    """

    def __init__(self, *harnesses: QueueHarness[Any], beyond: FlowProducer | None = None) -> None:
        nowhere = NoServerConnection(" and ".join(harness.queue_name for harness in harnesses))
        telemetry = None if beyond is None else beyond.telemetry
        super().__init__(connection=nowhere, prefix=PREFIX, telemetry=telemetry)
        self._queues = {harness.queue_name: harness.in_memory for harness in harnesses}
        self._beyond = beyond
        join(*(queue.memory_scripts.jobs for queue in self._queues.values()))

    async def close(self) -> None:
        """Close the real producer of other flows."""
        await super().close()
        if self._beyond is not None:
            await self._beyond.close()

    async def add(self, flow: FlowJob, *, queues_options: Mapping[str, JobOptions] | None = None) -> JobNode:
        """Add a tree of jobs; see FlowProducer.add.

        Raises:
            NoHarnessError: some of its queues have a harness, others have none; nothing was added.
            UnnamedServerError: none has, and the test named no server.
        """
        beyond = self._beyond_for([flow])
        if beyond is not None:
            return await beyond.add(flow, queues_options=queues_options)
        return await super().add(flow, queues_options=queues_options)

    async def add_bulk(
        self, flows: Iterable[FlowJob], *, queues_options: Mapping[str, JobOptions] | None = None
    ) -> list[JobNode]:
        """Add many trees of jobs; see FlowProducer.add_bulk. Raises as `add` does, for all together."""
        trees = list(flows)
        beyond = self._beyond_for(trees)
        if beyond is not None:
            return await beyond.add_bulk(trees, queues_options=queues_options)
        return await super().add_bulk(trees, queues_options=queues_options)

    async def get_flow(
        self, job_id: str, queue_name: str, *, prefix: str | None = None, depth: int = 10, max_children: int = 20
    ) -> JobNode | None:
        """Read a tree from a job down; see FlowProducer.get_flow."""
        if queue_name not in self._queues and self._beyond is not None:
            return await self._beyond.get_flow(
                job_id, queue_name, prefix=prefix, depth=depth, max_children=max_children
            )
        return await super().get_flow(job_id, queue_name, depth=depth, max_children=max_children)

    def _beyond_for(self, flows: Sequence[FlowJob]) -> FlowProducer | None:
        """Who adds these flows, if not this one. Raises NoHarnessError: they need both."""
        wanted = dict.fromkeys(name for flow in flows for name in _queue_names(flow))
        missing = [name for name in wanted if name not in self._queues]
        if self._beyond is not None and len(missing) == len(wanted):
            return self._beyond
        if missing:
            named = " and ".join(dict.fromkeys(repr(flow.get("name")) for flow in flows))
            raise NoHarnessError(f"a job of the flow {named}", missing, list(self._queues))
        return None

    def _plan(self, flow: FlowJob, parent: dict[str, str] | None, queues_options: Mapping[str, JobOptions]) -> Any:
        # The harnesses' own prefix: keys of parents and children are theirs.
        return super()._plan({**flow, "prefix": PREFIX}, parent, queues_options)

    async def _store(self, jobs: Sequence[tuple[QueueKeys, NewJob]]) -> tuple[int, list[str]]:
        placed = [(self._queues[keys.name].memory_scripts.jobs, new) for keys, new in jobs]
        job_ids = add_flow(placed)
        return placed[0][0].now_ms, job_ids

    def _types_of(self, keys: QueueKeys) -> PayloadTypes | None:
        return self._queues[keys.name].memory_scripts.payload_types

    def _scripts(self, keys: QueueKeys) -> Scripts:
        if keys.name not in self._queues:
            raise NoHarnessError("the job that is asked for", (keys.name,), list(self._queues))
        return self._queues[keys.name].memory_scripts


def _queue_names(flow: FlowJob) -> Iterator[str]:
    """Those that are named; what is wrong with others is said where flows are checked."""
    if flow.get("queue_name"):
        yield flow["queue_name"]
    for child in flow.get("children") or ():
        yield from _queue_names(child)
