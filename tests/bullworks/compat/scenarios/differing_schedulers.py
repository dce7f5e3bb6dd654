"""Where job schedulers of ours differ from npm bullmq's on purpose."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.bullworks.compat.comparison import NOTHING
from tests.bullworks.compat.scenarios.difference import Difference
from tests.bullworks.compat.scenarios.scheduling import YEARLY

HOUR_MS = 3_600_000
OLD = 1_600_000_000_000
NEW_YEAR_MS, NEXT_YEAR_MS = [
    int(datetime(datetime.now(UTC).year + years, 1, 1, tzinfo=UTC).timestamp() * 1000) for years in (1, 2)
]
LATER, LATER_STILL = 1_924_992_000_000, 2_240_611_200_000

DIFFERENCES: dict[str, Difference] = {
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
    **{
        f"a scheduler's template with {option}": Difference(
            f"is refused: {why}",
            [
                ["add", "p", {}, {"jobId": "p"}],
                ["upsert", "s", {"pattern": YEARLY, "tz": "UTC"}, {"opts": {option: value}}],
            ],
            {
                "answers/1": (f"repeat:s:{NEW_YEAR_MS}", {"error": "refused"}),
                "bull:q:events/2": (..., []),
                "bull:q:id/2": ("2", "1"),
                "bull:q:marker/2": ([["1", NEW_YEAR_MS]], []),
                **{
                    f"bull:q:{key}": (..., NOTHING)
                    for key in ("delayed", "repeat", "repeat:s", f"repeat:s:{NEW_YEAR_MS}")
                },
            },
        )
        for option, value, why in (
            ("jobId", "x", "its jobs have ids of its own; Node stores it, and does not heed it"),
            ("delay", 50, "its jobs are due when it says; Node stores it, and does not heed it"),
            ("timestamp", 5, "its jobs are added when they are; Node stores it, and does not heed it"),
            (
                "deduplication",
                {"id": "d"},
                "its jobs are one at a time anyway; Node stores it, and lets no job be dropped",
            ),
            (
                "parent",
                {"id": "p", "queue": "bull:q"},
                "nobody waits for its jobs; Node stores it, and no parent hears of it",
            ),
        )
    },
}
