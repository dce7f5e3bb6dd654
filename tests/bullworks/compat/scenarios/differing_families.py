"""Where parents and children of ours differ from npm bullmq's on purpose."""

from __future__ import annotations

from tests.bullworks.compat.comparison import NOTHING
from tests.bullworks.compat.scenarios.bulk import child_of
from tests.bullworks.compat.scenarios.difference import Difference
from tests.bullworks.compat.scenarios.flowing import _node

LONG_MS = 10_000_000
RELEASED = {"event": "waiting", "jobId": "p", "prev": "waiting-children"}

DIFFERENCES: dict[str, Difference] = {
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
    "waiting for children with a stolen lock": Difference(
        "Node says that there are none before it looks at the lock; ours looks at the lock first",
        [["add", "a", {}], ["take"], ["moveToWaitingChildren", {"token": "x"}]],
        {"answers/2": (False, {"error": "lock"})},
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
    "flows added together, one with a missing parent": Difference(
        "a trip is stored whole or not at all; Node stores the others, and answers as if it had stored all",
        [
            [
                "flowBulk",
                [_node("a", _node("b")), {**_node("c", _node("d")), "opts": child_of("nobody", jobId="c")["opts"]}],
            ]
        ],
        {
            "answers/0": (..., {"error": "parent"}),
            **{
                f"bull:q:{key}": (..., NOTHING)
                for key in ("a", "a:dependencies", "b", "events", "id", "marker", "wait", "waiting-children")
            },
        },
    ),
}
