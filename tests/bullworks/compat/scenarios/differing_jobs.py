"""Where single jobs and whole queues of ours differ from npm bullmq's on purpose."""

from __future__ import annotations

from tests.bullworks.compat.comparison import NOTHING
from tests.bullworks.compat.scenarios.bulk import child_of
from tests.bullworks.compat.scenarios.difference import Difference
from tests.bullworks.compat.scenarios.flowing import _node
from tests.bullworks.compat.scenarios.working import _job

LONG_MS = 10_000_000
OLD = 1_600_000_000_000
DRAINED = {"event": "drained"}
LIMITER = {"limiter": {"max": 9, "duration": LONG_MS}}

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
    "how long a job is kept": Difference(
        "in one spelling: no count is stored as true, a count alone as that number, and nothing at all as false",
        [
            ["add", "a", {}, {"removeOnComplete": 0, "removeOnFail": {"count": 7}}],
            ["add", "b", {}, {"removeOnComplete": {}}],
        ],
        {
            "bull:q:1/2/opts/removeOnComplete": (0, True),
            "bull:q:1/2/opts/removeOnFail": ({"count": 7}, 7),
            "bull:q:2/2/opts/removeOnComplete": ({}, False),
        },
    ),
    "a timestamp of 0": Difference(
        "is the year 1970; Node takes it for none",
        [["add", "a", {}, {"timestamp": 0}]],
        {"bull:q:1/2/timestamp": ("<+0>", "0")},
    ),
    "an id of more than 16 digits": Difference(
        "is not one of the queue's numbers, and is accepted; Node refuses those that JavaScript can hold",
        [["add", "a", {}, {"jobId": "10000000000000000000"}]],
        {
            "answers/0": ({"error": "refused"}, "10000000000000000000"),
            **{f"bull:q:{key}": (NOTHING, ...) for key in ("10000000000000000000", "events", "id", "marker", "wait")},
        },
    ),
    "a failure without words": Difference(
        "has the name of its class for a reason; Node's is empty",
        [["add", "a", {}], ["take"], ["fail", ""]],
        {
            "bull:q:1/2/failedReason": ("", "Exception"),
            "bull:q:events/2/3/failedReason": ("", "Exception"),
        },
    ),
    "`promoteJobs`": Difference(
        "what is left of the delay becomes 0, as when a job is promoted alone",
        [["add", "a", {}, {"delay": LONG_MS}], ["promoteJobs"]],
        {"bull:q:1/2/delay": (str(LONG_MS), "0")},
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
    "jobs added together, one with a missing parent": Difference(
        "a trip is stored whole or not at all, and the error says which others are; Node stores the rest, and gives "
        "the code for an id",
        [
            ["addBulk", [{"name": "a", "data": 1}, child_of("nobody"), {"name": "b", "data": 1}]],
            ["counts"],
        ],
        {
            "answers/0": (["1", -5, "2"], {"error": "parent"}),
            "answers/1/waiting": (2, 0),
            **{f"bull:q:{key}": (..., NOTHING) for key in ("1", "2", "events", "id", "marker", "wait")},
        },
    ),
    "jobs added together, one that is another parent's": Difference(
        "the same",
        [
            ["flow", _node("p", _node("x"))],
            ["add", "other", {}, {"jobId": "other"}],
            ["addBulk", [{"name": "a", "data": 1}, child_of("other", jobId="x")]],
        ],
        {
            "answers/2": (["4", -7], {"error": "parent"}),
            "bull:q:4": (..., NOTHING),
            "bull:q:events/2": (..., []),
            "bull:q:id/2": ("5", "3"),
            "bull:q:wait/2": (["4"], []),
        },
    ),
    "cleaning with a limit": Difference(
        "looks past jobs that are too young until the limit is reached; Node looks at so many at the end of the line",
        [
            ["add", "old", {}, {"timestamp": OLD, "jobId": "old"}],
            *[["add", "young", {}, {"lifo": True}] for _ in range(2)],
            ["clean", 60_000, 2, "wait"],
        ],
        {
            "answers/3": ([], ["old"]),
            "bull:q:events/2/6/count": ("0", "1"),
            "bull:q:old": (..., NOTHING),
            "bull:q:wait/2": (["old"], []),
        },
    ),
    **{
        f"`drained` {when}": Difference(
            "the same: Node ends early where the next job was asked for and cannot be had, and leaves the event out",
            [*before, ["add", "a", {}], ["take"], *then, ["complete", 1, {"fetchNext": True}]],
            {"bull:q:events/2": ([], [DRAINED])},
        )
        for when, before, then in (
            ("with the rate limited", [["worker", {"limiter": {"max": 1, "duration": LONG_MS}}]], []),
            ("with the queue's rate limited", [["setGlobalRateLimit", 1, LONG_MS]], []),
            ("with a manual rate limit", [["worker", LIMITER]], [["rateLimit", LONG_MS]]),
            ("while the queue is paused", [], [["pause"]]),
        )
    },
    "`cancel_job` and a handler that does not look": Difference(
        "it is stopped, and its attempt fails; Node only tells it, so that it runs on to its end",
        [_job("a", [["stay", 300], ["return", 1]]), ["work", {"cancel": "a"}, [["a", "over"]]]],
        {
            "bull:q:events/2": (..., ...),
            "bull:q:a/2/returnvalue": (1, NOTHING),
            "bull:q:a/2/failedReason": (NOTHING, "enough"),
            "bull:q:a/2/stacktrace": (NOTHING, "1 traces"),
            "bull:q:completed": (["zset", None, [["a", "<+0>"]]], NOTHING),
            "bull:q:failed": (NOTHING, ["zset", None, [["a", "<+0>"]]]),
        },
    ),
    "a rate limit that is lifted": Difference(
        "is over for each worker at its next look; one of Node's that met it waits until it would have ended",
        [
            ["worker", LIMITER],
            ["rateLimit", LONG_MS],
            ["add", "a", {}],
            ["take"],
            ["removeRateLimitKey"],
            ["take"],
        ],
        {
            "answers/5": (None, "1"),
            "bull:q:1/2/processedOn": (NOTHING, "<+0>"),
            "bull:q:1/2/pb": (NOTHING, "worker-1"),
            "bull:q:1/2/ats": (NOTHING, "1"),
            "bull:q:1:lock": (NOTHING, ["string", 1, "token"]),
            "bull:q:active": (NOTHING, ["list", None, ["1"]]),
            "bull:q:wait": (["list", None, ["1"]], NOTHING),
            "bull:q:limiter": (NOTHING, ...),
            "bull:q:events/2": ([], [{"event": "active", "jobId": "1", "prev": "waiting"}]),
        },
    ),
}
