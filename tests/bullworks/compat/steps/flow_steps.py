"""Steps about parents and children, as tests/bullworks/node/steps/flows.mjs has them."""

from __future__ import annotations

from typing import Any

from bullworks.bullmq.flow_producer import JobNode
from tests.bullworks.compat.steps.world import World, snake


class FlowSteps(World):
    async def flow(self, root: dict[str, Any], opts: dict[str, Any] | None = None) -> dict[str, Any]:
        defaults = (opts or {}).get("queuesOptions", {})
        queues = {queue: snake(given["defaultJobOptions"]) for queue, given in defaults.items()}
        return _tree(await self.flows.add(_ours(root), queues_options=queues))

    async def flowBulk(self, roots: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [_tree(node) for node in await self.flows.add_bulk([_ours(root) for root in roots])]

    async def getFlow(self, job_id: str, opts: dict[str, Any] | None = None) -> dict[str, Any] | None:
        node = await self.flows.get_flow(job_id, self.queue.name, **snake(opts))
        return _sorted(_tree(node)) if node else None

    async def dependencies(self, job_id: str) -> dict[str, Any]:
        found = await (await self.job(job_id)).get_dependencies()
        return {
            "processed": found.processed,
            "unprocessed": sorted(found.unprocessed),
            "ignored": found.ignored,
            "failed": sorted(found.failed),
        }

    async def dependencyPages(self, job_id: str, opts: dict[str, Any]) -> dict[str, Any]:
        found = await (await self.job(job_id)).get_dependencies(**opts)  # type: ignore[arg-type]
        answer: dict[str, Any] = {}
        for kind in opts:
            children = getattr(found, kind)
            answer[kind] = children if isinstance(children, dict) else sorted(children)
            answer[f"next{kind.capitalize()}Cursor"] = getattr(found, f"next_{kind}_cursor")
        return answer

    async def allPages(self, job_id: str, kind: str, count: int) -> list[Any]:
        """All children of a kind, page by page, sorted, and whether there was more than one page."""
        found: set[str] = set()
        cursor, pages = 0, 0
        while pages == 0 or cursor:
            page = await (await self.job(job_id)).get_dependencies(**{kind: {"cursor": cursor, "count": count}})  # type: ignore[arg-type]
            found |= set(getattr(page, kind))
            cursor, pages = getattr(page, f"next_{kind}_cursor"), pages + 1
        return [sorted(found), pages > 1]

    async def children(self, job_id: str, kind: str, start: int, end: int) -> dict[str, Any]:
        found = await self.queue.get_dependencies(job_id, kind, start, end)  # type: ignore[arg-type]
        values = {"processed": lambda item: {"v": item.value}, "pending": lambda item: {}}[kind]
        return {
            "items": [{"id": item.id, **values(item)} for item in found.items],
            "jobs": [job.name for job in found.jobs],
            "total": found.total,
        }

    async def dependenciesCount(self, job_id: str) -> dict[str, int]:
        found = await (await self.job(job_id)).get_dependencies_count()
        return {
            "processed": found.processed,
            "unprocessed": found.unprocessed,
            "ignored": found.ignored,
            "failed": found.failed,
        }

    async def childrenValues(self, job_id: str) -> dict[str, Any]:
        return await (await self.job(job_id)).get_children_values()

    async def ignoredFailures(self, job_id: str) -> dict[str, str]:
        return await (await self.job(job_id)).get_ignored_children_failures()

    async def removeChildDependency(self, job_id: str) -> bool:
        return await (await self.job(job_id)).remove_child_dependency()

    async def removeUnprocessedChildren(self, job_id: str) -> None:
        await (await self.job(job_id)).remove_unprocessed_children()


def _ours(node: dict[str, Any]) -> Any:
    ours: dict[str, Any] = {"name": node["name"], "queue_name": node["queueName"]}
    if "data" in node:
        ours["data"] = node["data"]
    if "opts" in node:
        ours["opts"] = snake(node["opts"])
    if "children" in node:
        ours["children"] = [_ours(child) for child in node["children"]]
    return ours


def _tree(node: JobNode) -> dict[str, Any]:
    return {"id": node.job.id, "name": node.job.name, "children": [_tree(child) for child in node.children]}


def _sorted(tree: dict[str, Any]) -> dict[str, Any]:
    return {**tree, "children": sorted(map(_sorted, tree["children"]), key=lambda child: child["name"])}
