"""One typed method per Lua file: the engine's only caller of scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app import __version__
from app.bullmq import codec
from app.bullmq.job_scripts import JobScripts
from app.bullmq.options import JobOpts
from app.bullmq.queue_scripts import QueueScripts
from app.bullmq.script_caller import load
from app.redis.pipelined import Argument

META_VERSION = f"bullworks:{__version__}"

ADD_JOBS = load("add_jobs")
ADVANCE = load("advance")
CHECK_STALLED = load("check_stalled")
EXTEND_LOCKS = load("extend_locks")
FETCH = load("fetch")
RECLAIM = load("reclaim")


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


class Scripts(JobScripts, QueueScripts):
    """All scripts of one queue, over one connection, but those that a worker runs over and over."""

    __slots__ = ()

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
                "",
            )
        now_ms, *ids = await self.connection.run(ADD_JOBS, (self.keys.base,), args)
        return now_ms, [job_id.decode() for job_id in ids]

    async def check_stalled(self, interval_ms: int, max_stalled_count: int) -> list[str]:
        """Recover jobs whose worker vanished. Returns the ids that went back to wait."""
        return [job_id.decode() for job_id in await self._run(CHECK_STALLED, interval_ms, max_stalled_count)]

    async def reclaim(self, tokens: Sequence[str]) -> list[str]:
        """Return the jobs of lost fetches to their lines. Returns their ids."""
        return [job_id.decode() for job_id in await self._run(RECLAIM, *tokens)]
