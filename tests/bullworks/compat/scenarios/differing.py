"""Where ours differs from npm bullmq on purpose: what is done, why, and exactly how it shows.

docs/bullmq-parity.md has the same list; tests compare both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.bullworks.compat.comparison import NOTHING
from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios.flowing import _node
from tests.bullworks.compat.scenarios.scheduling import YEARLY

LONG_MS = 10_000_000
HOUR_MS = 3_600_000
OLD = 1_600_000_000_000
NEW_YEAR_MS, NEXT_YEAR_MS = [
    int(datetime(datetime.now(UTC).year + years, 1, 1, tzinfo=UTC).timestamp() * 1000) for years in (1, 2)
]
LATER, LATER_STILL = 1_924_992_000_000, 2_240_611_200_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One.

    Attributes:
        why: as the parity page has it.
        shows: path -> (npm bullmq's, ours), of lists of different lengths what only one has; `...` for anything.
    """

    why: str
    steps: list[Step]
    shows: dict[str, tuple[Any, Any]]


DRAINED = {"event": "drained"}
RELEASED = {"event": "waiting", "jobId": "p", "prev": "waiting-children"}

DIFFERENCES: dict[str, Difference] = {
    "`drained` with delayed jobs": Difference(
        "BullMQ says that delayed jobs do not count for it; its script leaves the event out where the next job was "
        "asked for and one is delayed",
        [["add", "d", {}, {"delay": LONG_MS}], ["add", "a", {}], ["take"], ["complete", 1, {"fetchNext": True}]],
        {"bull:q:events/2": ([], [DRAINED])},
    ),
    "`drained` with a scheduler": Difference(
        "the same: a scheduler always has a delayed job",
        [
            ["upsert", "s", {"every": 60_000, "limit": 3}, {"data": {"acts": [[["return", 1]]]}}],
            ["add", "a", {}, {"jobId": "a"}],
            ["work", {}, [["a", "completed"]]],
            ["promoteNext"],
            ["add", "b", {}, {"jobId": "b"}],
            ["work", {}, [["b", "completed"]]],
            ["scheduler", "s"],
        ],
        {"bull:q:events/2": ([], [DRAINED, DRAINED])},
    ),
    "pages of failed children": Difference(
        "each has those that follow, and the last one says that it is; Node's second page is empty, and its cursor "
        "grows for ever",
        [
            ["add", "p", {}, {"jobId": "p"}],
            ["redis", "ZADD", "bull:q:p:unsuccessful", 1, "bull:q:a", 2, "bull:q:b", 3, "bull:q:c"],
            ["dependencyPages", "p", {"failed": {"cursor": 0, "count": 2}}],
            ["dependencyPages", "p", {"failed": {"cursor": 2, "count": 2}}],
        ],
        {
            "answers/3/failed": ([], ["bull:q:c"]),
            "answers/3/nextFailedCursor": (4, 0),
        },
    ),
    "options that say what goes without saying": Difference(
        "not stored: a delay and a priority of 0, lifo false, a jitter of 0",
        [
            ["add", "a", {}, {"delay": 0, "priority": 0, "lifo": False, "backoff": {"type": "fixed", "jitter": 0}}],
            ["read", "1"],
        ],
        {
            "bull:q:1/2/opts/delay": (0, NOTHING),
            "bull:q:1/2/opts/priority": (0, NOTHING),
            "bull:q:1/2/opts/lifo": (False, NOTHING),
            "bull:q:1/2/opts/backoff/jitter": (0, NOTHING),
            "bull:q:1/2/opts/backoff/delay": (NOTHING, 0),
        },
    ),
    "`retryJobs` of jobs with a priority": Difference(
        "Node puts them into `wait`, ahead of their turn; ours go back to `prioritized`",
        [["add", "p", {}, {"priority": 2}], ["take"], ["fail", "x"], ["retryJobs", "failed"]],
        {
            "bull:q:wait": (["list", None, ["1"]], NOTHING),
            "bull:q:prioritized": (NOTHING, ["zset", None, [["1", 2 * 2**32 + 2]]]),
            "bull:q:pc/2": ("1", "2"),
        },
    ),
    "`promoteJobs` of jobs with a priority": Difference(
        "the same; and what is left of the delay becomes 0, as when a job is promoted alone",
        [["add", "p", {}, {"delay": LONG_MS, "priority": 2}], ["promoteJobs"]],
        {
            "bull:q:1/2/delay": (str(LONG_MS), "0"),
            "bull:q:wait": (["list", None, ["1"]], NOTHING),
            "bull:q:prioritized": (NOTHING, ["zset", None, [["1", 2 * 2**32 + 1]]]),
            "bull:q:pc": (NOTHING, ["string", None, "1"]),
        },
    ),
    "a limit on jobs removed by age": Difference(
        "Node removes the latest of the old ones; ours the oldest",
        [
            *[["add", "a", {}] for _ in range(2)],
            *[step for _ in range(2) for step in (["take"], ["complete", 1])],
            *[["redis", "ZADD", "bull:q:completed", OLD + i, f"{i}"] for i in (1, 2)],
            ["add", "b", {}, {"removeOnComplete": {"age": 3_600, "limit": 1}}],
            ["take"],
            ["complete", 1],
        ],
        {
            "bull:q:1": (..., NOTHING),
            "bull:q:2": (NOTHING, ...),
            "bull:q:completed/2/0/0": ("1", "2"),
            "bull:q:completed/2/0/1": (OLD + 1, OLD + 2),
        },
    ),
    "a stalled job that was removed": Difference(
        "Node makes a new hash of nothing but `stc`, and waits for it; ours forgets it",
        [
            ["add", "a", {}],
            ["take"],
            ["stalledCheck"],
            ["redis", "DEL", "bull:q:stalled-check", "bull:q:1", "bull:q:1:lock"],
            ["stalledCheck"],
        ],
        {
            "bull:q:1": (["hash", None, {"stc": "1"}], NOTHING),
            "bull:q:wait": (["list", None, ["1"]], NOTHING),
            "bull:q:events/2": (
                [{"event": "waiting", "jobId": "1", "prev": "active"}, {"event": "stalled", "jobId": "1"}],
                [],
            ),
        },
    ),
    "ending a job that is not active": Difference(
        "both refuse; Node has dropped its lock by then, ours changed nothing",
        [["add", "a", {}], ["take"], ["redis", "DEL", "bull:q:active"], ["complete", 1]],
        {"bull:q:1:lock": (NOTHING, ["string", 1, "token"])},
    ),
    "a place that becomes free in a full fleet": Difference(
        "wakes a waiting worker, whose own fetch may have used the marker up in vain; in Node it waits out its block",
        [
            ["setGlobalConcurrency", 1],
            *[["add", "a", {}] for _ in range(2)],
            ["take"],
            ["redis", "DEL", "bull:q:marker"],
            ["complete", 1],
        ],
        {"bull:q:marker": (NOTHING, ["zset", None, [["0", 0]]])},
    ),
    "waiting for children with a stolen lock": Difference(
        "Node says that there are none before it looks at the lock; ours looks at the lock first",
        [["add", "a", {}], ["take"], ["moveToWaitingChildren", {"token": "x"}]],
        {"answers/2": (False, {"error": "lock"})},
    ),
    "the next job where the present one is tried again at once": Difference(
        "comes in the same trip, as asked; Node leaves it to the next fetch",
        [
            *[["add", "a", {}, {"attempts": 2, "jobId": f"a{n}"}] for n in range(2)],
            ["take"],
            ["fail", "boom", {"fetchNext": True}],
        ],
        {
            "answers/3": (None, "a1"),
            "bull:q:a1/2/processedOn": (NOTHING, "<+0>"),
            "bull:q:a1/2/pb": (NOTHING, "worker-1"),
            "bull:q:a1/2/ats": (NOTHING, "1"),
            "bull:q:a1:lock": (NOTHING, ["string", 1, "token"]),
            "bull:q:active": (NOTHING, ["list", None, ["a1"]]),
            "bull:q:wait/2": (["a1"], []),
            "bull:q:events/2": ([], [{"event": "active", "jobId": "a1", "prev": "waiting"}]),
        },
    ),
    "completing a parent with a stolen lock": Difference(
        "both refuse; Node for its open children, ours for the lock",
        [
            ["flow", _node("p", _node("a"))],
            ["redis", "RPUSH", "bull:q:wait", "p"],
            ["take"],
            ["complete", 1, {"token": "x"}],
        ],
        {"answers/3/error": ("children", "lock")},
    ),
    "a long reason of a failure": Difference(
        "is cut after 5,000 characters: it is shown in lists, and the trace has it whole",
        [["add", "a", {}], ["take"], ["fail", "x" * 6_000]],
        {
            "bull:q:1/2/failedReason": ("x" * 6_000, "x" * 5_000),
            "bull:q:events/2/3/failedReason": ("x" * 6_000, "x" * 5_000),
        },
    ),
    "a manual rate limit and a worker without a limiter": Difference(
        "a limit that was asked for holds for each worker of ours; Node's without a limiter do not look",
        [["rateLimit", LONG_MS], ["add", "a", {}], ["take"]],
        {
            "answers/2": ("1", None),
            "bull:q:1/2/processedOn": ("<+0>", NOTHING),
            "bull:q:1/2/pb": ("worker-1", NOTHING),
            "bull:q:1/2/ats": ("1", NOTHING),
            "bull:q:1:lock": (["string", 1, "token"], NOTHING),
            "bull:q:active": (["list", None, ["1"]], NOTHING),
            "bull:q:wait": (NOTHING, ["list", None, ["1"]]),
            "bull:q:events/2": ([{"event": "active", "jobId": "1", "prev": "waiting"}], []),
        },
    ),
    "a parent whose last child is removed": Difference(
        "keeps its delay and priority; in Node it waits before all others",
        [
            ["flow", _node("p", _node("a"), priority=3)],
            ["flow", _node("d", _node("b"), delay=LONG_MS)],
            ["remove", "a"],
            ["remove", "b"],
        ],
        {
            "bull:q:wait": (["list", None, ["p", "d"]], NOTHING),
            "bull:q:prioritized": (NOTHING, ["zset", None, [["p", 3 * 2**32 + 1]]]),
            "bull:q:pc": (NOTHING, ["string", None, "1"]),
            "bull:q:delayed": (NOTHING, ["zset", None, [["d", "<+10000>"]]]),
            "bull:q:marker/2": ([], [["1", "<+10000>"]]),
            "bull:q:events/2/10/event": ("waiting", "delayed"),
            "bull:q:events/2/10/prev": ("waiting-children", NOTHING),
            "bull:q:events/2/10/delay": (NOTHING, "<+10000>"),
        },
    ),
    "a parent whose last child is drained in another queue": Difference(
        "tells that it waits; Node moves it and tells nobody. The same for clean and obliterate",
        [["use", "c"], ["use", "q"], ["flow", _node("p", _node("a", queue="c"))], ["use", "c"], ["drain"]],
        {"bull:q:events/2": ([], [RELEASED])},
    ),
    "a child with a deduplication id": Difference(
        "is taken, and not waited for where another has the id; Node says that it refuses it until a later version",
        [["flow", _node("p", _node("a", deduplication={"id": "d"}))]],
        {
            "answers/0/error": ("refused", NOTHING),
            "answers/0/id": (NOTHING, "p"),
            "answers/0/name": (NOTHING, "p"),
            "answers/0/children": (NOTHING, [{"id": "a", "name": "a", "children": []}]),
            **{
                f"bull:q:{key}": (NOTHING, ...)
                for key in ("a", "de:d", "events", "id", "marker", "p", "p:dependencies", "wait", "waiting-children")
            },
        },
    ),
    "`add` with `repeat`": Difference(
        "makes a job scheduler, as BullMQ 5 did; Node adds one job",
        [["add", "a", {}, {"repeat": {"every": 60_000, "key": "k"}}], ["schedulersCount"]],
        {
            "answers/0": ("1", "repeat:k:<+0>"),
            "answers/1": (0, 1),
            "bull:q:1": (..., NOTHING),
            "bull:q:events/2/0/jobId": ("1", "repeat:k:<+0>"),
            "bull:q:events/2/1/jobId": ("1", "repeat:k:<+0>"),
            "bull:q:wait/2/0": ("1", "repeat:k:<+0>"),
            "bull:q:repeat": (NOTHING, ["zset", None, [["k", "<+0>"]]]),
            "bull:q:repeat:k": (NOTHING, ...),
            "bull:q:repeat:k:<+0>": (NOTHING, ...),
        },
    ),
    "a scheduler removed whose job waits already": Difference(
        "the job goes with it; in Node it still runs",
        [["upsert", "s", {"every": 60_000}], ["removeScheduler", "s"]],
        {
            "bull:q:events/2": ([], [{"event": "removed", "jobId": "repeat:s:<+0>", "prev": "wait"}]),
            "bull:q:repeat:s:<+0>": (..., NOTHING),
            "bull:q:wait": (["list", None, ["repeat:s:<+0>"]], NOTHING),
        },
    ),
    "a scheduler changed while the queue is paused": Difference(
        "its pending job is replaced; in Node a second one is added",
        [["upsert", "s", {"every": 60_000}], ["pause"], ["upsert", "s", {"pattern": YEARLY}], ["counts"]],
        {
            "answers/3/waiting": (1, 0),
            "bull:q:repeat:s/2/offset": (..., ...),
            "bull:q:repeat:s:<+0>": (..., NOTHING),
            "bull:q:wait": (["list", None, ["repeat:s:<+0>"]], NOTHING),
        },
    ),
    "another start date of `every`": Difference(
        "moves the pending job; in Node it has no effect until a run is missed",
        [
            ["upsert", "s", {"every": 60_000, "startDate": LATER}],
            ["upsert", "s", {"every": 60_000, "startDate": LATER_STILL}],
        ],
        {
            "answers/1": (f"repeat:s:{LATER}", f"repeat:s:{LATER_STILL}"),
            "bull:q:delayed/2/0/0": (f"repeat:s:{LATER}", f"repeat:s:{LATER_STILL}"),
            "bull:q:delayed/2/0/1/0": (LATER, LATER_STILL),
            "bull:q:events/2/2/jobId": (f"repeat:s:{LATER}", f"repeat:s:{LATER_STILL}"),
            "bull:q:events/2/3/jobId": (f"repeat:s:{LATER}", f"repeat:s:{LATER_STILL}"),
            "bull:q:marker/2/0/1": (LATER, LATER_STILL),
            "bull:q:repeat/2/0/1": (LATER, LATER_STILL),
            f"bull:q:repeat:s:{LATER}": (..., NOTHING),
            f"bull:q:repeat:s:{LATER_STILL}": (NOTHING, ...),
        },
    ),
    "a run of `every` past the end date": Difference(
        "is not added; Node adds one more",
        [["upsert", "s", {"every": 60_000, "endIn": 30_000}], ["take"], ["complete", 1], ["counts"]],
        {
            "answers/3/delayed": (1, 0),
            "bull:q:delayed": (["zset", None, [["repeat:s:<+60>", "<+60>"]]], NOTHING),
            "bull:q:events/2": (
                [
                    {"event": "added", "jobId": "repeat:s:<+60>", "name": "s"},
                    {"event": "delayed", "jobId": "repeat:s:<+60>", "delay": "<+60>"},
                ],
                [],
            ),
            "bull:q:id/2": ("2", "1"),
            "bull:q:marker/2": ([["1", "<+60>"]], []),
            "bull:q:repeat/2/0/1": ("<+60>", "<+0>"),
            "bull:q:repeat:s/2/ic": ("2", "1"),
            "bull:q:repeat:s:<+60>": (..., NOTHING),
        },
    ),
    "a pattern that is set again after its next run was run early": Difference(
        "the run after it follows; Node makes a new job of the one that has run",
        [
            ["upsert", "s", {"pattern": YEARLY, "tz": "UTC"}],
            ["promoteNext"],
            ["take"],
            ["complete", 1],
            ["upsert", "s", {"pattern": YEARLY, "tz": "UTC"}],
        ],
        {
            "answers/4": (f"repeat:s:{NEW_YEAR_MS}", f"repeat:s:{NEXT_YEAR_MS}"),
            "bull:q:delayed/2/0/0": (f"repeat:s:{NEW_YEAR_MS}", f"repeat:s:{NEXT_YEAR_MS}"),
            "bull:q:delayed/2/0/1/0": (NEW_YEAR_MS, NEXT_YEAR_MS),
            "bull:q:events/2/8/jobId": (f"repeat:s:{NEW_YEAR_MS}", f"repeat:s:{NEXT_YEAR_MS}"),
            "bull:q:events/2/9/jobId": (f"repeat:s:{NEW_YEAR_MS}", f"repeat:s:{NEXT_YEAR_MS}"),
            "bull:q:marker/2/1/1": (NEW_YEAR_MS, NEXT_YEAR_MS),
            "bull:q:repeat/2/0/1": (NEW_YEAR_MS, NEXT_YEAR_MS),
            f"bull:q:repeat:s:{NEW_YEAR_MS}/2/delay": (..., "0"),
            f"bull:q:repeat:s:{NEXT_YEAR_MS}": (NOTHING, ...),
        },
    ),
    "another `every`": Difference(
        "later slots follow its new first run; in Node the old offset",
        [
            ["upsert", "s", {"every": HOUR_MS, "startDate": LATER}],
            ["upsert", "s", {"every": 2 * HOUR_MS, "startDate": LATER + 60_000}],
        ],
        {"bull:q:repeat:s/2/offset": ("0", "<offset>")},
    ),
    "an overdue pattern that is set again": Difference(
        "as services do at each start: the missed run runs late; Node drops it",
        [
            ["redis", "ZADD", "bull:q:repeat", OLD, "s"],
            ["redis", "HSET", "bull:q:repeat:s", "name", "s", "pattern", YEARLY, "tz", "UTC", "ic", 1],
            ["redis", "HSET", f"bull:q:repeat:s:{OLD}", "name", "s", "data", "{}", "opts", "{}", "rjk", "s"],
            ["redis", "HSET", f"bull:q:repeat:s:{OLD}", "timestamp", OLD - 5, "delay", 5, "priority", 0],
            ["redis", "ZADD", "bull:q:delayed", OLD * 4096, f"repeat:s:{OLD}"],
            ["upsert", "s", {"pattern": YEARLY, "tz": "UTC"}],
        ],
        {
            "answers/5": (f"repeat:s:{NEW_YEAR_MS}", f"repeat:s:{OLD}"),
            "bull:q:delayed": (["zset", None, [[f"repeat:s:{NEW_YEAR_MS}", [NEW_YEAR_MS, 0]]]], NOTHING),
            "bull:q:wait": (NOTHING, ["list", None, [f"repeat:s:{OLD}"]]),
            "bull:q:events/2/0/jobId": (f"repeat:s:{NEW_YEAR_MS}", f"repeat:s:{OLD}"),
            "bull:q:events/2/1/event": ("delayed", "waiting"),
            "bull:q:events/2/1/jobId": (f"repeat:s:{NEW_YEAR_MS}", f"repeat:s:{OLD}"),
            "bull:q:events/2/1/delay": (..., NOTHING),
            "bull:q:marker/2/0/0": ("1", "0"),
            "bull:q:marker/2/0/1": (NEW_YEAR_MS, 0),
            "bull:q:repeat/2/0/1": (NEW_YEAR_MS, OLD),
            "bull:q:repeat:s/2/offset": (NOTHING, "0"),
            f"bull:q:repeat:s:{NEW_YEAR_MS}": (..., NOTHING),
            f"bull:q:repeat:s:{OLD}": (NOTHING, ...),
        },
    ),
}
