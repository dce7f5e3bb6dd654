"""FlowProducer: adds trees of jobs, in which a parent runs once its children are done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NotRequired, TypedDict
from uuid import uuid4

from bullworks.bullmq.connecting import Connection, check_parent, check_tagged, lease
from bullworks.bullmq.errors import InvalidOptionError, PartlyAddedError
from bullworks.bullmq.events.readers import EventReaders
from bullworks.bullmq.job.dependencies import Dependencies, Page, Pages
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.options.group import without_group
from bullworks.bullmq.options.job import JobOptions, JobOpts
from bullworks.bullmq.queue.adding import Adding, FlowsToAdd, QueueTypes
from bullworks.bullmq.queue.queue import Queue, checked_keys
from bullworks.bullmq.scripts.caller import load
from bullworks.bullmq.scripts.scripts import META_VERSION, Scripts, added_ids
from bullworks.bullmq.telemetry.interface import Attributes, SpanKind, Telemetry
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.safe import SafeTelemetry
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.closing import Closing
from bullworks.redis import Argument, Endpoint

ADD_FLOW = load("add_flow")

# Redis looks at so many places for each child that is wanted: not all of them are taken.
_SCANNED_FOR_EACH = 10
_MOST_IN_FLOW = 1_000
"""Jobs of one flow: it is stored by one script call, during which Redis serves no other client."""


class FlowJob(TypedDict):
    """One job of a flow, with the children that it waits for; `data` is what its queue's `data_type` says, or JSON."""

    name: str
    queue_name: str
    data: NotRequired[Any]
    opts: NotRequired[JobOptions]
    prefix: NotRequired[str]
    children: NotRequired[Sequence["FlowJob"]]


@dataclass(frozen=True, slots=True)
class JobNode:
    """A job of a flow as stored in Redis, and its children."""

    job: Job
    children: list["JobNode"] = field(default_factory=list)


@dataclass(slots=True)
class _Planned:
    """One job of a flow on its way to Redis."""

    keys: QueueKeys
    new: NewJob
    children: list["_Planned"] = field(default_factory=list)

    def size(self) -> int:
        """Jobs of the tree."""
        return 1 + sum(child.size() for child in self.children)


def _level_by_level(roots: list[_Planned]) -> list[_Planned]:
    """All roots, then all their children, and so on: a child is refused whose parent is not there."""
    level, ordered = roots, list[_Planned]()
    while level:
        ordered += level
        level = [child for planned in level for child in planned.children]
    return ordered


def _calls(plans: list[_Planned], endpoint: Endpoint) -> Iterator[list[_Planned]]:
    """As many whole trees as one call may store; on a cluster, of one slot."""
    call: list[_Planned] = []
    slot: int | None = None
    jobs = 0
    for plan in plans:
        size = plan.size()
        if size > _MOST_IN_FLOW:
            raise InvalidOptionError("flow", f"has {size} jobs; the most is {_MOST_IN_FLOW}")
        its_slot = endpoint.slot_of(plan.keys.base)
        if call and (jobs + size > _MOST_IN_FLOW or its_slot != slot):
            yield call
            call, jobs = [], 0
        slot = its_slot
        call.append(plan)
        jobs += size
    if call:
        yield call


class FlowProducer(Closing):
    """Adds flows over any number of queues.

    A flow is stored whole or not at all. On a cluster all its queues must share one `{tag}` in their prefix.

    Args:
        connection: a URL, a redis.asyncio client, or a connection to share.
        prefix: of the queues that do not name one.
        telemetry: what traces its operations, and lets its jobs carry where they were added.
        queues: those whose `data_type`, `result_type` and `encryption` hold for their jobs in flows.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        prefix: str = "bull",
        telemetry: Telemetry[Any] | None = None,
        queues: Iterable[Queue[Any]] = (),
    ) -> None:
        self.prefix = prefix
        self.telemetry = telemetry
        self._telemetry = None if telemetry is None else SafeTelemetry(telemetry)
        self._lease = lease(connection)
        self.connection = self._lease.connection
        self._readers = EventReaders(self.connection.endpoint)
        self.adding: Adding | None = None
        """What surrounds `add` and `add_bulk`, if anything does."""
        self.queue_types: QueueTypes | None = None
        """What knows the types of further queues, if anything does."""
        self._types = {queue.keys.base: queue.scripts.payload_types for queue in queues}

    async def close(self) -> None:
        """Fail pending waits and close own connections; a shared connection stays open. Closing twice is fine."""
        await self._readers.close()
        await self._lease.end()

    async def wait_until_ready(self) -> None:
        """Connect to Redis.

        Raises:
            ConnectError: Redis cannot be reached or refuses this client.
        """
        await self.connection.connect()

    async def add(self, flow: FlowJob, *, queues_options: Mapping[str, JobOptions] | None = None) -> JobNode:
        """Add a tree of jobs.

        Args:
            flow: the root; each job may have children, which may be in other queues. `opts` as of Queue.add; of a
                child also `fail_parent_on_failure` and its like.
            queues_options: default job options by queue name.

        Raises:
            InvalidOptionError, InvalidPayloadError: of any job, before anything is sent.
            ParentError: the root's own parent is missing, or a job of that id has another parent; nothing was added.
        """
        attributes = {TelemetryAttributes.FLOW_NAME: str(flow.get("name"))}
        with trace(self._tracing(flow.get("queue_name", "")), "addFlow", kind=SpanKind.PRODUCER, attributes=attributes):
            return (await self._add_all([flow], queues_options))[0]

    async def add_bulk(
        self, flows: Iterable[FlowJob], *, queues_options: Mapping[str, JobOptions] | None = None
    ) -> list[JobNode]:
        """Add many trees, up to 1,000 jobs a trip; each trip is all or nothing. All roots come first.

        All are checked before the first is sent. Raises as `add` does, and then nothing was added; or:

        Raises:
            PartlyAddedError: a trip failed after others were stored: it says which flows those are.
        """
        trees = list(flows)
        attributes: Attributes = {
            TelemetryAttributes.BULK_COUNT: len(trees),
            TelemetryAttributes.BULK_NAMES: ",".join(str(flow.get("name")) for flow in trees),
        }
        with trace(self._tracing(""), "addBulkFlows", kind=SpanKind.PRODUCER, attributes=attributes):
            return await self._add_all(trees, queues_options)

    async def _add_all(
        self, flows: Iterable[FlowJob], queues_options: Mapping[str, JobOptions] | None
    ) -> list[JobNode]:
        if self.adding is None:
            return await self._store_all(flows, queues_options)
        surrounded = FlowsToAdd(flows)
        return await self.adding.around(surrounded.jobs, lambda: self._store_all(surrounded.flows(), queues_options))

    async def _store_all(
        self, flows: Iterable[FlowJob], queues_options: Mapping[str, JobOptions] | None
    ) -> list[JobNode]:
        plans = [self._plan(flow, None, queues_options or {}) for flow in flows]
        nodes: list[JobNode] = []
        for call in list(_calls(plans, self.connection.endpoint)):
            try:
                nodes += await self._send(call)
            except Exception as error:
                if not nodes:
                    raise
                stored = {number: node.job.id for number, node in enumerate(nodes)}
                raise PartlyAddedError("flows", stored, len(plans), error) from error
        return nodes

    async def get_flow(
        self, job_id: str, queue_name: str, *, prefix: str | None = None, depth: int = 10, max_children: int = 20
    ) -> JobNode | None:
        """Read a tree from a job down; None if the job does not exist.

        Args:
            depth: levels that are read, the job's own included, >= 1.
            max_children: of each job, >= 0.

        Raises:
            InvalidOptionError: a depth below 1.
        """
        if depth < 1:
            raise InvalidOptionError("depth", f"must be 1 or more, not {depth}")
        keys = checked_keys(prefix or self.prefix, queue_name)
        return await self._read(keys, job_id, depth, max_children)

    def _plan(self, flow: FlowJob, parent: dict[str, str] | None, queues_options: Mapping[str, JobOptions]) -> _Planned:
        unknown = set(flow) - set(FlowJob.__annotations__)
        if unknown:
            raise InvalidOptionError.unknown(sorted(unknown)[0], FlowJob.__annotations__)
        queue_name = flow.get("queue_name", "")
        keys = checked_keys(flow.get("prefix") or self.prefix, queue_name)
        with trace(self._tracing(queue_name), "addNode", kind=SpanKind.PRODUCER) as span:
            planned = self._plan_node(flow, keys, parent, queues_options, span.metadata)
            span.set_attributes(
                {TelemetryAttributes.JOB_NAME: planned.new.name, TelemetryAttributes.JOB_ID: planned.new.id}
            )
            return planned

    def _plan_node(
        self,
        flow: FlowJob,
        keys: QueueKeys,
        parent: dict[str, str] | None,
        queues_options: Mapping[str, JobOptions],
        metadata: str | None,
    ) -> _Planned:
        options: dict[str, Any] = {**queues_options.get(keys.name, {}), **flow.get("opts", {})}
        if parent is not None:
            options["parent"] = parent
        children = flow.get("children") or ()
        others, group = without_group(options)
        opts = JobOpts.of(others).carrying(metadata)
        endpoint = self.connection.endpoint
        if endpoint.has_slots:
            check_tagged(keys)
            if opts.parent is not None:
                check_parent(endpoint, keys, opts.parent.key)
        if children and opts.deduplication is not None:
            raise InvalidOptionError(
                "deduplication", "is not for a job with children: they must know its id beforehand"
            )
        # Children name their parent, so every job has an id before it is sent.
        new = NewJob.of(
            flow.get("name"),
            flow.get("data", {}),
            opts,
            queue_name=keys.name,
            types=self._types_of(keys),
            waits_for_children=bool(children),
            given_id=str(uuid4()),
            group=group,
        )
        below = {"id": new.id, "queue": keys.base[:-1]}
        return _Planned(keys, new, [self._plan(child, below, queues_options) for child in children])

    async def _send(self, plans: list[_Planned]) -> list[JobNode]:
        ordered = _level_by_level(plans)
        now_ms, job_ids = await self._store([(planned.keys, planned.new) for planned in ordered])
        ids = {id(planned): job_id for planned, job_id in zip(ordered, job_ids, strict=True)}
        return [self._node(plan, ids, now_ms) for plan in plans]

    async def _store(self, jobs: Sequence[tuple[QueueKeys, NewJob]]) -> tuple[int, list[str]]:
        """Store whole trees, parents before their children. Returns Redis's time, ms, and an id for each job.

        Raises:
            ParentError: nothing was stored.
        """
        args: list[Argument] = [META_VERSION]
        for _, new in jobs:
            args += new.args()
        now_ms, *answers = await self.connection.run(ADD_FLOW, tuple(keys.base for keys, _ in jobs), args)
        return now_ms, added_ids([new for _, new in jobs], answers)

    def _node(self, plan: _Planned, ids: Mapping[int, str], now_ms: int) -> JobNode:
        job: Job = Job(self._scripts(plan.keys), ids[id(plan)], plan.new.fields(now_ms))
        return JobNode(job, [self._node(child, ids, now_ms) for child in plan.children])

    def _tracing(self, queue_name: str) -> Tracing | None:
        return None if self._telemetry is None else Tracing(self._telemetry, queue_name)

    def _types_of(self, keys: QueueKeys) -> PayloadTypes | None:
        if keys.base in self._types or self.queue_types is None:
            return self._types.get(keys.base)
        return self.queue_types.of(keys)

    def _scripts(self, keys: QueueKeys) -> Scripts:
        scripts = Scripts(self.connection.at(keys.base), keys, self._readers.of(keys), self._tracing(keys.name))
        scripts.payload_types = self._types_of(keys)
        return scripts

    async def _read(self, keys: QueueKeys, job_id: str, depth: int, max_children: int) -> JobNode | None:
        scripts = self._scripts(keys)
        fields = await scripts.read_fields(job_id)
        if not fields:
            return None
        node = JobNode(Job(scripts, job_id, fields))
        if depth > 1 and max_children > 0:
            page = Page(count=_SCANNED_FOR_EACH * max_children)
            children = await scripts.dependency_pages(job_id, Pages(page, page, page, page))
            for key in islice(_child_keys(children), max_children):
                child_keys, child_id = QueueKeys.of_job(key, keys.prefix)
                child = await self._read(child_keys, child_id, depth - 1, max_children)
                if child is not None:
                    node.children.append(child)
        return node


def _child_keys(children: Dependencies) -> Iterator[str]:
    yield from children.processed
    yield from children.unprocessed
    yield from children.ignored
    yield from children.failed
