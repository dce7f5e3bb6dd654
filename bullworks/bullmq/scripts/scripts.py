"""One typed method per Lua file: the engine's only caller of scripts."""

from collections.abc import Iterable, Sequence
from typing import cast

from bullworks import __version__
from bullworks.bullmq.errors import GroupFullError, addition_error
from bullworks.bullmq.job.new_job import NewJob
from bullworks.bullmq.scripts.caller import load
from bullworks.bullmq.scripts.group import GroupScripts
from bullworks.bullmq.scripts.processing import ProcessingScripts
from bullworks.bullmq.scripts.queue import LimitScripts, QueueScripts, UpkeepScripts
from bullworks.redis import Argument

META_VERSION = f"bullworks:{__version__}"

ADD_JOBS = load("add_jobs")
CHECK_STALLED = load("check_stalled")
RECLAIM = load("reclaim")

# As lua/lib/add.lua answers.
_GROUP_FULL = -12

# Each looks at 100 jobs: more are not active anywhere, and a list that grows as fast must not keep a check going.
_MOST_CHECKS = 10_000


def added_ids(jobs: Sequence[NewJob], answers: Sequence[bytes | int]) -> list[str]:
    """Return the ids in a reply of lua/add_jobs.lua or add_flow.lua. Raises the error of a refused job."""
    if answers and isinstance(answers[0], int):
        code, number = cast(Sequence[int], answers)
        refused = jobs[number - 1]
        if code == _GROUP_FULL and refused.group is not None:
            raise GroupFullError(refused.name, refused.group.id)
        raise addition_error(code, refused.name, refused.opts.parent.key if refused.opts.parent else "")
    return [answer.decode() for answer in cast(Sequence[bytes], answers)]


class Scripts(ProcessingScripts, QueueScripts, LimitScripts, UpkeepScripts, GroupScripts):
    """All scripts of one queue, over one connection."""

    __slots__ = ()

    async def add_jobs(self, jobs: Iterable[NewJob]) -> tuple[int, list[str]]:
        """Store new jobs and return their ids.

        Returns:
            The time in ms, and in order their ids, or those of the jobs that stand for them.

        Raises:
            ParentError: a job's parent is missing, or the job of its id has another. None of them was added.
            GroupFullError: a job's group has as many jobs as it may. None of them was added.
        """
        args: list[Argument] = [META_VERSION]
        added = list(jobs)
        for job in added:
            args += job.args()
        now_ms, *ids = await self.connection.run(ADD_JOBS, (self.keys.base,), args)
        return now_ms, added_ids(added, ids)

    async def check_stalled(self, interval_ms: int, max_stalled_count: int, *, confirms: bool = False) -> list[str]:
        """Recover jobs whose worker vanished, in calls of some milliseconds each.

        Args:
            confirms: take only those that had no lock at the last check either.

        Returns:
            The ids that went back to wait.
        """
        stalled: list[str] = []
        begin: int | str = ""
        for _ in range(_MOST_CHECKS):
            moved, begin = await self._run(
                CHECK_STALLED, interval_ms, max_stalled_count, "1" if confirms else "", begin
            )
            stalled += [job_id.decode("utf-8", "backslashreplace") for job_id in moved]
            if begin == -1:
                break
        return stalled

    async def reclaim(self, tokens: Sequence[str]) -> list[str]:
        """Return the jobs of lost fetches to their lines. Returns their ids."""
        return [job_id.decode("utf-8", "backslashreplace") for job_id in await self._run(RECLAIM, *tokens)]
