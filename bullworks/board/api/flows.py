"""The flow that a job belongs to: a bounded window of its tree, read level by level."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bullworks.board.api.call import Call
from bullworks.board.api.checks import query_clamped
from bullworks.board.errors import RefusedError
from bullworks.board.jobs import parsed, text
from bullworks.bullmq import JobState
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.glance import GlanceScripts
from bullworks.bullmq.scripts.scripts import Scripts
from bullworks.bullmq.wire import codec
from bullworks.redis import PipelinedConnection

MOST_NODES = 200
MOST_ANCESTORS = 100
_FIELDS = (codec.NAME, codec.PROGRESS, codec.OPTS, codec.TIMESTAMP)


@dataclass(slots=True)
class _Node:
    """A job of the tree.

    Attributes:
        children: those in the window.
        missing: how many of those that were looked at are gone.
    """

    keys: QueueKeys
    id: str
    name: str = ""
    progress: Any = 0
    state: JobState = "unknown"
    parent: tuple[str, str] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    child_keys: list[str] = field(default_factory=list)
    ignored_reasons: dict[str, str] = field(default_factory=dict)
    children: list["_Node"] = field(default_factory=list)
    missing: int = 0
    is_cut: bool = False


async def flow(call: Call) -> dict[str, Any]:
    """Answer with the flow tree above and below a job, or with `root=node` below it only."""
    depth = query_clamped(call.query, "depth", 10, 1, 20)
    most_children = query_clamped(call.query, "maxChildren", 20, 1, 1_000)
    reader = _FlowReader(call, depth, most_children)
    node = await reader.look(_Node(call.queue.keys, call.job_id))
    if node is None:
        raise RefusedError(404, "JOB_NOT_FOUND")
    root = node if call.query.get("root") == "node" else await reader.root_of(node)
    if root is None:
        return {"nodeId": call.job_id, "isFlowNode": False, "flowRoot": None}
    await reader.grow(root)
    return {"nodeId": call.job_id, "isFlowNode": bool(root.children), "flowRoot": reader.describe(root)}


class _FlowReader:
    """Reads one tree over the connection of the queue that was asked for: a flow lies on one server."""

    def __init__(self, call: Call, depth: int, most_children: int) -> None:
        self._call = call
        self._connection: PipelinedConnection = call.queue.connection
        self._depth = depth
        self._most_children = most_children
        self._names = {entry.qualified_name: entry.shown_name for entry in call.board.queues}

    async def root_of(self, node: _Node) -> _Node | None:
        """The job that no other waits for; None means one on the way is gone, or not on this board."""
        for _ in range(MOST_ANCESTORS):
            if node.parent is None:
                return node
            parent_id, parent_queue = node.parent
            entry = self._call.board.queues.find_qualified(parent_queue)
            if entry is None or not await self._is_visible(parent_queue):
                return None
            above = await self.look(_Node(entry.queue.keys, parent_id))
            if above is None:
                return None
            node = above
        return None

    async def grow(self, root: _Node) -> None:
        """Read what lies below, as far as the window goes."""
        most = max(MOST_NODES, self._most_children) if self._depth <= 2 else MOST_NODES
        count, level = 1, [root]
        for _ in range(self._depth - 1):
            wanted = [(node, key) for node in level for key in node.child_keys[: self._most_children]]
            room = max(0, most + 1 - count)
            for node, _ in wanted[room:]:
                node.is_cut = True
            wanted = wanted[:room]
            looked = await asyncio.gather(*(self._child(node, key) for node, key in wanted))
            level = []
            for (node, _), child in zip(wanted, looked, strict=True):
                if child is None:
                    node.missing += 1
                else:
                    node.children.append(child)
                    level.append(child)
            count += len(level)
            if not level:
                break

    async def look(self, node: _Node) -> _Node | None:
        """Read one job; None means there is none."""
        kin, state = await asyncio.gather(
            GlanceScripts(self._connection, node.keys).kin(node.id, _FIELDS, self._most_children),
            Scripts(self._connection, node.keys).get_state(node.id),
        )
        fields = kin.fields
        if codec.NAME not in fields and codec.TIMESTAMP not in fields:
            return None
        node.name, node.state = text(fields.get(codec.NAME, b"")), state
        node.progress = _parse_or(fields.get(codec.PROGRESS), 0)
        node.parent = _parent(_parse_or(fields.get(codec.OPTS), {}))
        node.counts = kin.counts
        node.child_keys = [text(child) for child in (*kin.processed, *kin.unprocessed, *kin.failed, *kin.ignored)]
        node.ignored_reasons = {text(child): text(reason) for child, reason in kin.ignored.items()}
        return node

    def describe(self, node: _Node) -> dict[str, Any]:
        """As the page reads it."""
        shown: dict[str, Any] = {
            "id": node.id,
            "name": node.name,
            "state": node.state,
            "progress": self._call.board.redaction.hide(node.progress),
            "queueName": self._names.get(node.keys.base[:-1], node.keys.name),
            "children": [self.describe(child) for child in node.children],
        }
        total = sum(node.counts.values())
        if total:
            shown["dependencies"] = {
                kind: node.counts[kind] for kind in ("processed", "unprocessed", "ignored", "failed")
            }
        if node.ignored_reasons:
            shown["ignoredChildFailureReasons"] = node.ignored_reasons
        if node.is_cut or len(node.children) + node.missing < total:
            shown["truncated"] = True
        return shown

    async def _child(self, parent: _Node, key: str) -> _Node | None:
        keys, job_id = self._split(key, parent.keys.prefix)
        if not await self._is_visible(keys.base[:-1]):
            return None
        return await self.look(_Node(keys, job_id))

    async def _is_visible(self, qualified: str) -> bool:
        """A queue that is on no board is shown, as Node's does, unless it is hidden here."""
        board = self._call.board
        entry = board.queues.find_qualified(qualified)
        if entry is None:
            return not board.queues.is_hidden(qualified.rpartition(":")[2])
        return await board.sees(self._call.who, entry)

    def _split(self, key: str, prefix: str) -> tuple[QueueKeys, str]:
        """The queue and id of a job's key. A queue's name holds no ":", an id may."""
        for entry in self._call.board.queues:
            if key.startswith(entry.queue.keys.base):
                return entry.queue.keys, key.removeprefix(entry.queue.keys.base)
        return QueueKeys.of_job(key, prefix)


def _parse_or(encoded: bytes | None, default: Any) -> Any:
    if encoded is None:
        return default
    try:
        return parsed(encoded)
    except (ValueError, RecursionError):
        return default


def _parent(opts: Any) -> tuple[str, str] | None:
    parent = opts.get("parent") if isinstance(opts, dict) else None
    if not isinstance(parent, dict) or not parent.get("id") or not parent.get("queue"):
        return None
    return str(parent["id"]), str(parent["queue"])
