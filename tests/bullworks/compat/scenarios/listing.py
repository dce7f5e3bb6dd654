"""Pages of jobs, what is cleaned and in which order, and what counts as waiting."""

from __future__ import annotations

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000
OLD = 1_600_000_000_000
PAGES = ((0, 1), (1, 2), (0, -1), (2, 3), (-2, -1), (4, 9), (0, 0))


def _pages(state: str) -> list[Step]:
    return [["jobs", [state], start, end, asc] for start, end in PAGES for asc in (True, False)]


SCENARIOS: dict[str, list[Step]] = {
    "a page of waiting jobs with lost ids is filled up": [
        *[["add", "a", {}] for _ in range(6)],
        ["redis", "DEL", "bull:q:2", "bull:q:3"],
        *_pages("wait"),
        ["ranges", ["wait"], 0, 1, True],
        ["listing", "Waiting", 1, 2],
    ],
    "a page of completed jobs with lost ids is filled up": [
        *[["add", "a", {}] for _ in range(6)],
        *[step for _ in range(6) for step in (["take"], ["complete", 1])],
        ["redis", "DEL", "bull:q:2", "bull:q:3", "bull:q:6"],
        *_pages("completed"),
        ["ranges", ["completed"], 0, 1, True],
    ],
    "a page of several states is filled up in each": [
        *[["add", "a", {}] for _ in range(4)],
        *[["add", "d", {}, {"delay": LONG_MS + at}] for at in range(4)],
        ["redis", "DEL", "bull:q:1", "bull:q:4", "bull:q:5"],
        *[["jobs", ["wait", "delayed"], 0, 1, asc] for asc in (True, False)],
    ],
    "so many lost ids are looked past": [
        *[["add", "a", {}] for _ in range(14)],
        ["redis", "DEL", *[f"bull:q:{number}" for number in range(1, 12)]],
        *[["jobs", ["wait"], 0, end, True] for end in (0, 1, 2, 9)],
    ],
    "all of a state's ids are lost": [
        *[["add", "a", {}] for _ in range(2)],
        ["redis", "DEL", "bull:q:1", "bull:q:2"],
        ["jobs", ["wait"], 0, 5, True],
        ["jobs", ["wait"]],
        ["counts"],
    ],
    "what cleaning waiting jobs answers": [
        *[["add", "a", {}] for _ in range(7)],
        ["clean", 0, 3, "wait"],
        ["clean", 0, 0, "wait"],
        ["clean", 0, 0, "wait"],
    ],
    "what cleaning active jobs answers": [
        *[["add", "a", {}] for _ in range(4)],
        *[["take"] for _ in range(4)],
        ["redis", "DEL", *[f"bull:q:{number}:lock" for number in (1, 2, 4)]],
        ["clean", 0, 0, "active"],
        ["jobs", ["active"]],
    ],
    "what cleaning finished jobs answers": [
        *[["add", "a", {}] for _ in range(6)],
        *[step for _ in range(4) for step in (["take"], ["complete", 1])],
        *[step for _ in range(2) for step in (["take"], ["fail", "no"])],
        ["clean", 0, 2, "completed"],
        ["clean", 0, 0, "completed"],
        ["clean", 0, 1, "failed"],
        ["clean", 0, 0, "failed"],
    ],
    "what cleaning delayed jobs and those with a priority answers": [
        *[["add", "d", {}, {"delay": LONG_MS - at * 20_000}] for at in range(3)],
        *[["add", "p", {}, {"priority": 9 - at}] for at in range(3)],
        ["clean", 0, 0, "delayed"],
        ["clean", 0, 2, "prioritized"],
        ["clean", 0, 0, "prioritized"],
    ],
    "cleaning by the public name, and an empty state": [
        ["add", "a", {}],
        ["clean", 0, 0, "completed"],
        ["clean", 0, 0, "waiting"],
    ],
    "what BullMQ 5 left in its paused list counts as that only": [
        *[["add", "a", {}] for _ in range(3)],
        ["redis", "RENAME", "bull:q:wait", "bull:q:paused"],
        ["add", "b", {}],
        ["stateCounts"],
        ["counts"],
        ["count"],
        ["countOf", "waiting"],
        ["countOf", "waiting", "paused"],
        ["counts", "wait", "paused"],
        ["listing", "Waiting"],
        ["jobs", ["paused"]],
        ["state", "1"],
        ["is", "1", "Waiting"],
        ["prometheus"],
        ["take"],
        ["clean", 0, 0, "paused"],
    ],
}
