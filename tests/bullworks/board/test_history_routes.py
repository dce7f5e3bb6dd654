"""The four routes of history: from what workers recorded, and from a source of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.board import BoardQueue, HistorySource, board_app
from bullworks.bullmq import Job, Queue, Worker
from bullworks.workers.history import HistoryRecorder
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.node_board import NodeBoard
from tests.bullworks.compat.node import Node
from tests.bullworks.waiting import eventually

ALL = "from=0&to=9999999999999"


class Known(HistorySource):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def series(self, metric: Any, /, **options: Any) -> Any:
        self.asked.append((metric, options))
        return [(60_000, 5), (120_000, 6.5)]

    async def latency(self, metric: Any, /, **options: Any) -> Any:
        self.asked.append((metric, options))
        return [(60_000, 9, {percentile: percentile * 2 for percentile in options["percentiles"]})]

    async def usage(self) -> Any:
        return {"keys": 3, "queues": [{"queue": "email"}, {"queue": "hidden"}]}

    async def purge(self, *, queue: str | None, before: str | None) -> tuple[int, int]:
        self.asked.append((queue, before))
        if before == "2026-02-30":
            raise ValueError("day is out of range for month")
        return 4, 5


@pytest.fixture
def source() -> Known:
    return Known()


@pytest.fixture
def board(queue: Queue[Any], source: Known) -> BoardClient:
    return BoardClient(board_app(queues=[queue], history=source))


async def test_without_a_metric_completed_and_failed_are_told(board: BoardClient, source: Known) -> None:
    answer = (await board.get("api/metrics/history?from=1&to=2.0&granularity=hour&queue=email")).json()
    points = [{"ts": 60_000, "value": 5}, {"ts": 120_000, "value": 6.5}]
    assert answer == {"completed": points, "failed": points}
    options = {"queue": "email", "from_ms": 1, "to_ms": 2, "granularity": "hour"}
    assert source.asked == [("completed", options), ("failed", options)]


async def test_one_metric_is_told_alone_by_day(board: BoardClient, source: Known) -> None:
    answer = (await board.get("api/metrics/history?from=1&to=2&metric=queueage")).json()
    assert list(answer) == ["queueage"]
    assert source.asked[0][1]["granularity"] == "day"
    assert source.asked[0][1]["queue"] is None


async def test_latencies_are_told_by_percentile(board: BoardClient, source: Known) -> None:
    answer = (
        await board.get("api/metrics/latency?metric=runtime&percentiles=0,50, 99.9,x,101,-1&granularity=range")
    ).json()
    assert answer == [{"ts": 60_000, "count": 9, "values": {"0": 0, "50": 100, "99.9": 199.8}}]
    assert source.asked[0][1]["percentiles"] == (0, 50, 99.9)
    await board.get("api/metrics/latency?metric=waittime&granularity=unheard")
    assert source.asked[1][1]["percentiles"] == (50, 95, 99)
    assert source.asked[1][1]["granularity"] == "day"
    assert source.asked[1][1]["to_ms"] > 1_600_000_000_000


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("history", "INVALID_DATE_RANGE"),
        ("history?from=1", "INVALID_DATE_RANGE"),
        ("history?from=x&to=2", "INVALID_DATE_RANGE"),
        ("history?from=3&to=2", "INVALID_DATE_RANGE"),
        ("history?from=1&to=inf", "INVALID_DATE_RANGE"),
        ("history?from=1&to=2&granularity=minute", "INVALID_GRANULARITY"),
        ("history?from=1&to=2&metric=unheard", "INVALID_METRIC"),
        ("latency", "INVALID_METRIC"),
        ("latency?metric=completed", "INVALID_METRIC"),
        ("latency?metric=runtime&from=x", "INVALID_DATE_RANGE"),
    ],
)
async def test_what_makes_no_sense_is_refused(board: BoardClient, source: Known, path: str, key: str) -> None:
    answer = await board.get(f"api/metrics/{path}")
    assert (answer.status_code, answer.json()["error"]["key"]) == (400, f"ERRORS.{key}")
    assert answer.json()["code"] == "INVALID_REQUEST"
    assert source.asked == []


async def test_queues_that_are_not_here_have_no_history_here(board: BoardClient) -> None:
    for path in ("history?from=1&to=2&queue=hidden", "latency?metric=runtime&queue=hidden"):
        assert (await board.get(f"api/metrics/{path}")).status_code == 404
    assert (await board.get("api/metrics/history/usage")).json() == {"keys": 3, "queues": [{"queue": "email"}]}
    assert (await board.change("POST", "api/metrics/history/purge", {"queue": "hidden"})).status_code == 404


@pytest.mark.parametrize(
    "kept", [{"hidden": ("secret*",)}, {"policy": lambda access: access.queue != "email"}], ids=["hidden", "by policy"]
)
async def test_all_queues_together_are_told_to_those_only_who_may_see_all(
    queue: Queue[Any], source: Known, kept: dict[str, Any]
) -> None:
    """Else a sum would tell of queues that are not there for them, and one purge would empty those."""
    board = BoardClient(board_app(queues=[queue], history=source, **kept))
    assert (await board.get("api/metrics/history?from=1&to=2")).json() == {"completed": [], "failed": []}
    assert (await board.get("api/metrics/latency?metric=runtime")).json() == []
    assert (await board.change("POST", "api/metrics/history/purge", {})).status_code == 403
    assert source.asked == []


async def test_the_past_is_forgotten_where_asked(board: BoardClient, source: Known) -> None:
    answer = await board.change("POST", "api/metrics/history/purge", {"queue": "email", "before": "2026-01-31"})
    assert answer.json() == {"keysDeleted": 4, "fieldsDeleted": 5}
    assert (await board.change("POST", "api/metrics/history/purge", {})).status_code == 200
    assert source.asked == [("email", "2026-01-31"), (None, None)]
    for bad in ("31.1.2026", "2026-02-30", 5, ""):
        refused = await board.change("POST", "api/metrics/history/purge", {"before": bad})
        assert (refused.status_code, refused.json()["error"]["key"]) == (400, "ERRORS.INVALID_BEFORE_DATE")
    assert (await board.change("POST", "api/metrics/history/purge", {"queue": 5})).status_code == 400


@pytest.fixture
async def recorded(redis_url: str, key_prefix: str, queue: Queue[Any]) -> AsyncIterator[BoardClient]:
    """A board of a queue whose worker was recorded; the board calls it by another name."""

    async def process(job: Job[Any, Any]) -> None:
        if job.data["fails"]:
            raise ValueError("no")

    recorder = HistoryRecorder(flush_s=0.05)
    async with Worker[Any, Any]("email", process, connection=redis_url, prefix=key_prefix) as worker:
        worker.measure(recorder.watch(queue))
        recorder.start()
        for fails in (False, True, False):
            await queue.add("job", {"fails": fails})
        made = BoardClient(board_app(queues=[BoardQueue(queue=queue, name="mail")]))

        async def is_recorded() -> bool:
            answer = (await made.get(f"api/metrics/history?{ALL}&queue=mail")).json()
            return bool(sum(point["value"] for metric in answer.values() for point in metric) == 3)

        await eventually(is_recorded)
        yield made
        await recorder.close()


async def test_what_workers_recorded_is_a_boards_history_by_itself(recorded: BoardClient) -> None:
    for queue in ("", "&queue=mail"):
        answer = (await recorded.get(f"api/metrics/history?{ALL}{queue}")).json()
        assert {metric: sum(point["value"] for point in points) for metric, points in answer.items()} == {
            "completed": 2,
            "failed": 1,
        }
    (day,) = (await recorded.get(f"api/metrics/latency?metric=runtime&{ALL}&queue=mail&percentiles=50,99")).json()
    assert day["count"] == 3
    assert set(day["values"]) == {"50", "99"}
    assert (await recorded.change("POST", "api/metrics/history/purge", {"queue": "mail"})).json()["keysDeleted"] > 0
    assert (await recorded.get(f"api/metrics/history?{ALL}&queue=mail")).json() == {"completed": [], "failed": []}


async def test_bull_board_would_take_our_answers(recorded: BoardClient, node: Node, redis_url: str) -> None:
    async with NodeBoard.served(node, redis_url, ["unused"], prefix="unused-board") as theirs:
        for schema, path in {
            "GetMetricsHistoryResponse": f"history?{ALL}",
            "GetMetricsLatencyResponse": f"latency?metric=waittime&{ALL}&granularity=hour",
            "GetMetricsHistoryUsageResponse": "history/usage",
        }.items():
            assert await theirs.issues(schema, (await recorded.get(f"api/metrics/{path}")).json()) == []


async def test_a_board_with_no_queue_has_no_past() -> None:
    board = BoardClient(board_app(queues=[]))
    assert (await board.get(f"api/metrics/history?{ALL}")).json() == {"completed": [], "failed": []}
    assert (await board.get("api/metrics/latency?metric=runtime")).json() == []
    assert (await board.get("api/metrics/history/usage")).json()["keys"] == 0
    assert (await board.get("api/queues")).json() == {"queues": []}
    assert (await board.get("api/redis/stats")).json() == {}
    assert (await board.change("POST", "api/metrics/history/purge", {})).json() == {
        "keysDeleted": 0,
        "fieldsDeleted": 0,
    }
