"""One typed method per Lua file: the engine's only caller of scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app import __version__
from app.bullmq import codec
from app.bullmq.keys import QueueKeys
from app.bullmq.options import JobOpts
from app.redis.pipelined import Argument, PipelinedConnection
from app.redis.script import Script

META_VERSION = f"bullworks:{__version__}"


def _load(name: str) -> Script:
    return Script.load("app.bullmq", name)


ADD_JOBS = _load("add_jobs")
ADVANCE = _load("advance")
CHECK_STALLED = _load("check_stalled")
EXTEND_LOCKS = _load("extend_locks")
FETCH = _load("fetch")
RECLAIM = _load("reclaim")


@dataclass(frozen=True, slots=True)
class NewJob:
    """One job to add, checked and encoded."""

    name: str
    data: bytes
    opts: JobOpts

    def fields(self, now_ms: int) -> dict[bytes, bytes]:
        """The hash that add_jobs stores for it."""
        opts = self.opts
        return {
            codec.NAME: self.name.encode(),
            codec.DATA: self.data,
            codec.OPTS: codec.encode_opts(opts),
            codec.TIMESTAMP: b"%d" % (now_ms if opts.timestamp is None else opts.timestamp),
            codec.DELAY: b"%d" % opts.delay_ms,
            codec.PRIORITY: b"%d" % opts.priority,
        }


class Scripts:
    """The scripts of one queue, over one connection."""

    __slots__ = ("connection", "keys")

    def __init__(self, connection: PipelinedConnection, keys: QueueKeys) -> None:
        self.connection = connection
        self.keys = keys

    async def _run(self, script: Script, *args: Argument) -> Any:
        return await self.connection.run(script, (self.keys.base,), list(args))

    async def add_jobs(self, jobs: Iterable[NewJob]) -> tuple[int, list[str]]:
        """Store jobs. Returns the time in ms, and their ids in order."""
        args: list[Argument] = [META_VERSION]
        for job in jobs:
            opts = job.opts
            args += (
                opts.job_id or "",
                job.name,
                job.data,
                codec.encode_opts(opts),
                "" if opts.timestamp is None else opts.timestamp,
                opts.delay_ms,
                opts.priority,
                "1" if opts.lifo else "",
            )
        now_ms, *ids = await self.connection.run(ADD_JOBS, (self.keys.base,), args)
        return now_ms, [job_id.decode() for job_id in ids]

    async def check_stalled(self, interval_ms: int, max_stalled_count: int) -> list[str]:
        """Recover jobs whose worker vanished. Returns the ids that went back to wait."""
        return [job_id.decode() for job_id in await self._run(CHECK_STALLED, interval_ms, max_stalled_count)]

    async def reclaim(self, tokens: Sequence[str]) -> list[str]:
        """Return the jobs of lost fetches to their lines. Returns their ids."""
        return [job_id.decode() for job_id in await self._run(RECLAIM, *tokens)]
