"""Hostile input: nothing happens, and the status says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bullworks.board import BoardQueue, board_app
from bullworks.board.jobs import NOT_JSON
from bullworks.board.redaction import TOO_LARGE
from bullworks.board.ui import BoardUi
from bullworks.bullmq import Queue, Worker
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard, OpenQueue

SCRIPT = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


async def sent(board: BoardClient, path: str, content: bytes, **headers: str) -> Any:
    """POST bytes as JSON, with the token."""
    given = {"X-XSRF-TOKEN": await board.token(), "Content-Type": "application/json", **headers}
    return await board.http.post(board.address(path), content=content, headers=given)


@pytest.mark.parametrize(
    "path",
    [
        "static/../app.py", "static/..%2fapp.py", "static/..%2f..%2f..%2fetc%2fpasswd",
        "static/%2e%2e/%2e%2e/etc/passwd", "static//etc/passwd", "static/%2fetc%2fpasswd",
        "static/..\\..\\app.py", "static/..%5c..%5capp.py",
        "static/js/../../INTEGRITY", "static/favicon.ico%00.js", "static/", "static", "static/js",
        "static/%c0%ae%c0%ae/",
        "../../etc/passwd", "%2e%2e/api/queues", "-/../app.py", "-/..%2f..%2fapp.py", "static/index.ejs", "index.ejs",
    ],
)  # fmt: skip
async def test_no_path_leads_to_another_file(board: MakeBoard, page: BoardUi, path: str) -> None:
    made = board()
    answer = await made.http.request("GET", f"http://localhost:3000/admin/queues/{path}")
    assert answer.status_code in {404, 307}
    assert "root:" not in answer.text
    assert "import" not in answer.text


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400), (b"[]", 400), (b"5", 400), (b'"name"', 400), (b"null", 400), (b"NaN", 400),
        (b'{"name": NaN}', 400),
        (b'{"name": "x", "data": Infinity}', 400), (b"\xff\xfe", 400), (b'{"name": "\\ud800"}', 400),
        (b'{"name": "x", "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400), (b'{"name": "x", "data": ' + b"9" * 5_000 + b"}", 400),
        (b'{"name": {"$gt": ""}}', 400), (b'{"name": "x", "options": []}', 400),
        (b'{"name": "x", "options": "x"}', 400), (b'{"name": "x", "options": {"__proto__": {"a": 1}}}', 400),
        (b'{"name": "x", "options": {"jobId": "meta"}}', 400),
        (b'{"name": "x", "options": {"jobId": "a:b"}}', 400), (b'{"name": ""}', 400), (b"{}", 400), (b"", 400),
    ],
)  # fmt: skip
async def test_a_malformed_body_adds_nothing(board: MakeBoard, queue: Queue[Any], content: bytes, status: int) -> None:
    answer = await sent(board(), "api/queues/email/add", content)
    assert answer.status_code == status
    assert answer.json()["error"]["key"] == "ERRORS.INVALID_REQUEST_BODY"
    assert await queue.count() == 0


async def test_an_oversized_body_is_refused_before_it_is_held(board: MakeBoard, queue: Queue[Any]) -> None:
    made = board()
    large = b'{"name":"x","data":"' + b"x" * 2_000_000 + b'"}'
    assert (await sent(made, "api/queues/email/add", large)).status_code == 413

    async def endless() -> Any:
        for _ in range(10_000):
            yield b"x" * 65_536

    headers = {"X-XSRF-TOKEN": await made.token(), "Content-Type": "application/json"}
    answer = await made.http.post(made.address("api/queues/email/add"), content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    assert await queue.count() == 0


async def test_a_body_on_a_change_that_takes_none_is_checked_all_the_same(board: MakeBoard, queue: Queue[Any]) -> None:
    made = board()
    headers = {"X-XSRF-TOKEN": await made.token(), "Content-Type": "application/json"}
    answer = await made.http.put(made.address("api/queues/email/pause"), content=b"{broken", headers=headers)
    assert answer.status_code == 400
    assert not await queue.is_paused()


async def test_a_script_in_a_title_or_base_cannot_leave_its_place(queue: Queue[Any], page: BoardUi) -> None:
    html = page.html(
        f"/{SCRIPT}/", {"boardTitle": SCRIPT, "favIcon": {"default": SCRIPT, "alternative": SCRIPT}, "more": [SCRIPT]}
    )
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "<%" not in html
    config = html.partition('type="application/json">')[2].partition("</script>")[0]
    assert json.loads(config)["more"] == [SCRIPT]


async def test_hostile_jobs_are_data_and_no_markup(open_queue: OpenQueue, redis_url: str, key_prefix: str) -> None:
    """Names, data, errors, logs, progress and results go out as JSON, which no browser takes for a page."""
    queue = open_queue("email")
    await queue.add(SCRIPT, {SCRIPT: SCRIPT})
    async with Worker[Any, Any]("email", None, connection=redis_url, prefix=key_prefix) as worker:
        job = await worker.get_next_job("token", block=False)
        assert job is not None
        await job.log(SCRIPT)
        await job.update_progress(SCRIPT)
        await job.move_to_failed(ValueError(SCRIPT), "token", fetch_next=False)
    made = BoardClient(board_app(queues=[queue]))
    for path in (
        "api/queues?activeQueue=email",
        "api/queues/email/1",
        "api/queues/email/1/logs",
        "api/queues/email/1/flow",
    ):
        answer = await made.get(path)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert SCRIPT in json.dumps(answer.json(), ensure_ascii=False)
    overview = (await made.get("-/")).text
    assert SCRIPT not in overview


async def test_a_queue_with_markup_in_its_name_is_escaped_on_our_pages(open_queue: OpenQueue) -> None:
    queue = open_queue("<img src=x onerror=alert(1)>")
    await queue.wait_until_ready()
    text = (await BoardClient(board_app(queues=[queue])).get("-/")).text
    assert "<img" not in text
    assert "&lt;img" in text


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/relative",
        "vbscript:x",
        "JaVaScRiPt:x",
        "\tjavascript:x",
        "",
    ],
)
async def test_a_jobs_link_leads_to_http_only(queue: Queue[Any], href: str) -> None:
    await queue.add("job", {})
    made = BoardClient(board_app(queues=[BoardQueue(queue=queue, job_url=lambda job: ("open", href))]))
    assert "externalUrl" not in (await made.get("api/queues/email/1")).json()["job"]


async def test_a_jobs_link_is_shown(queue: Queue[Any]) -> None:
    await queue.add("job", {"order": 7})
    linked = BoardQueue(queue=queue, job_url=lambda job: ("order", f"https://shop.example/{job['data']['order']}"))
    job = (await BoardClient(board_app(queues=[linked])).get("api/queues/email/1")).json()["job"]
    assert job["externalUrl"] == {"displayText": "order", "href": "https://shop.example/7"}


async def test_a_link_that_cannot_be_made_spoils_nothing(queue: Queue[Any], caplog: pytest.LogCaptureFixture) -> None:
    await queue.add("job", {"order": 7})
    await queue.add("another", {})
    linked = BoardQueue(queue=queue, job_url=lambda job: f"https://shop.example/{job['data']['order']}")
    made = BoardClient(board_app(queues=[linked]))
    jobs = (await made.get("api/queues?activeQueue=email")).json()["queues"][0]["jobs"]
    assert [job.get("externalUrl") for job in jobs] == [None, {"href": "https://shop.example/7"}]
    assert "job_url failed for job 2" in caplog.text


BROKEN: list[tuple[str, dict[str, str]]] = [
    ("data is no JSON", {"data": "{oops"}),
    ("data is no UTF-8", {"data": "\udcff"}),
    ("data is NaN", {"data": "NaN"}),
    ("data is nested deeply", {"data": "[" * 100_000 + "]" * 100_000}),
    ("options are no JSON", {"opts": "nope"}),
    ("options are a list", {"opts": "[1]"}),
    ("progress is no JSON", {"progress": "half"}),
    ("traces are no list", {"stacktrace": '{"a": 1}'}),
    ("traces are no JSON", {"stacktrace": "x"}),
    ("the result is no JSON", {"returnvalue": "x"}),
    ("times are no numbers", {"timestamp": "soon", "processedOn": "x", "delay": "1e999", "priority": "-"}),
    ("no name", {"name": ""}),
]


@pytest.mark.parametrize(("what", "fields"), BROKEN)
async def test_a_job_that_is_damaged_spoils_no_other(
    board: MakeBoard, queue: Queue[Any], what: str, fields: dict[str, str]
) -> None:
    await queue.add("good", {"n": 1})
    bad = await queue.add("bad", {"n": 2})
    flat = [part.encode("utf-8", "surrogateescape") for pair in fields.items() for part in pair]
    await queue.connection.execute("HSET", queue.keys.of(bad.id), *flat)
    made = board()
    answer = await made.get("api/queues?activeQueue=email")
    assert answer.status_code == 200
    jobs = {job["id"]: job for job in answer.json()["queues"][0]["jobs"]}
    assert jobs["1"]["data"] == {"n": 1}
    assert set(jobs) == {"1", "2"}
    alone = await made.get("api/queues/email/2")
    assert alone.status_code == 200
    assert alone.json()["job"]["data"] == jobs["2"]["data"]
    if "data" in fields:
        assert NOT_JSON in jobs["2"]["data"]


async def test_a_key_of_another_kind_is_shown_as_that(board: MakeBoard, queue: Queue[Any]) -> None:
    await queue.add("good", {})
    await queue.add("bad", {})
    await queue.connection.execute("DEL", queue.keys.of("2"))
    await queue.connection.execute("SET", queue.keys.of("2"), "a text")
    made = board()
    jobs = {job["id"]: job for job in (await made.get("api/queues?activeQueue=email")).json()["queues"][0]["jobs"]}
    assert "cannot be read" in jobs["2"]["failedReason"]
    assert "WRONGTYPE" in jobs["2"]["failedReason"]
    assert jobs["1"]["name"] == "good"


async def test_a_queue_that_is_damaged_spoils_no_other(open_queue: OpenQueue) -> None:
    good, bad = open_queue("good"), open_queue("bad")
    await good.add("job", {})
    await bad.connection.execute("SET", bad.keys.of("wait"), "a text")
    made = BoardClient(board_app(queues=[bad, good]))
    for path in ("api/queues", "api/queues?activeQueue=bad", "api/queues?activeQueue=good"):
        first, second = (await made.get(path)).json()["queues"]
        assert first["description"].startswith("cannot be read: ")
        assert sum(first["counts"].values()) == 0
        assert second["counts"]["waiting"] == 1
    assert (await made.get("-/")).status_code == 200


async def test_a_huge_value_is_not_even_read(board: MakeBoard, queue: Queue[Any]) -> None:
    await queue.add("huge", {"x": "y" * 3_000_000})
    await queue.add("small", {"x": 1})
    made = board(shown_bytes=10_000)
    before = await _sent_by_redis(queue)
    answer = await made.get("api/queues?activeQueue=email")
    assert await _sent_by_redis(queue) - before < 100_000
    jobs = {job["id"]: job for job in answer.json()["queues"][0]["jobs"]}
    assert jobs["1"]["data"][TOO_LARGE].startswith("3000008 bytes")
    assert jobs["2"]["data"] == {"x": 1}
    assert len(answer.content) < 10_000
    refused = await made.change("PATCH", "api/queues/email/1/update-data", {"jobData": jobs["1"]["data"]})
    assert refused.status_code == 400
    job = await queue.get_job("1")
    assert job is not None
    assert len(job.data["x"]) == 3_000_000


async def _sent_by_redis(queue: Queue[Any]) -> int:
    """Bytes, to all its clients since it started."""
    stats: bytes = await queue.connection.execute("INFO", "stats")
    return int(stats.partition(b"total_net_output_bytes:")[2].split()[0])


async def test_a_redis_that_is_away_is_told_without_its_password(caplog: pytest.LogCaptureFixture) -> None:
    async with Queue[Any]("email", connection="redis://:s3cret@127.0.0.1:1/0") as queue:
        made = BoardClient(board_app(queues=[queue]))
        listed = await made.get("api/queues?activeQueue=email")
        assert listed.status_code == 200
        assert "cannot be read" in listed.json()["queues"][0]["description"]
        for path in ("api/queues/email/1", "api/redis/stats", "api/queues/email/rate-limit", "api/queues/email/1/flow"):
            answer = await made.get(path)
            assert (answer.status_code, answer.json()["error"]["key"]) == (503, "ERRORS.REDIS_UNAVAILABLE")
            assert "s3cret" not in answer.text
        changed = await made.change("PUT", "api/queues/email/pause")
        assert changed.status_code == 503
    assert "s3cret" not in caplog.text
    assert "s3cret" not in listed.text
