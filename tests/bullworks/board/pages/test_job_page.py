"""The page of a job: all that is known of it but its secrets, and what may be done with it."""

from __future__ import annotations

import re
from typing import Any

from bullworks.board import BoardQueue
from bullworks.board.pages.job import LOG_LINES
from bullworks.bullmq import FlowJob, FlowProducer, Job, Queue, Worker
from tests.bullworks.board.conftest import MakeBoard, OpenQueue
from tests.bullworks.board.pages.test_queue_page import EVIL, fail, offered


async def test_all_of_a_job_is_shown_but_its_secrets(
    queue: Queue[Any], board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    job = await queue.add("welcome", {"to": "a@example.com", "password": "s3cret"}, attempts=1, priority=3)
    await job.log("a line")
    await job.update_progress({"step": 2})
    await fail(queue, redis_url, key_prefix)
    page = (await board().get(f"-/job?queue=email&id={job.id}")).text
    for part in ("welcome", "a@example.com", "a line", "no such address", "ValueError", "&#34;step&#34;: 2"):
        assert part in page
    assert "s3cret" not in page
    assert "[redacted]" in page
    assert 'data-state="failed"' in page


async def test_what_is_offered_fits_the_state_the_policy_and_the_queue(
    queue: Queue[Any], board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    failed = await queue.add("job", {})
    await fail(queue, redis_url, key_prefix)
    later = await queue.add("later", {}, delay=60_000)

    async def of(job_id: str, **options: Any) -> set[str]:
        given = options.pop("entry", queue)
        page = (await board(given, **options).get(f"-/job?queue=email&id={job_id}")).text
        return {path.rpartition("/")[2] for path in offered(page)}

    assert await of(failed.id) == {"retry", "clean"}
    assert await of(later.id) == {"promote", "cancel", "clean"}
    assert await of(failed.id, read_only=True) == set()
    assert await of(failed.id, policy=lambda access: access.action in {"read", "remove-job"}) == {"clean"}
    assert await of(failed.id, policy=lambda access: access.action == "read" or access.job == "x") == set()
    assert await of(failed.id, entry=BoardQueue(queue=queue, allow_retries=False)) == {"clean"}
    async with Worker[Any, Any]("email", None, connection=redis_url, prefix=key_prefix) as worker:
        await later.promote()
        assert await worker.get_next_job("token", block=False) is not None
        assert await of(later.id) == {"cancel"}


async def test_a_job_is_cancelled_and_the_trail_says_by_whom(queue: Queue[Any], board: MakeBoard) -> None:
    job = await queue.add("job", {}, delay=60_000)
    made = board()
    path = f"-/job?queue=email&id={job.id}"
    cancel = next(path for path in offered((await made.get(path)).text) if path.endswith("/cancel"))
    assert (await made.change("PUT", cancel, {})).json()["outcome"] == "cancelled"
    assert (await made.change("PUT", cancel, {"reason": "twice"})).json()["outcome"] == "finished"
    await job.refresh()
    assert job.failed_reason == "cancelled: by local on the board"
    trail = (await made.get("-/audit")).text
    assert "cancel-job" in trail
    assert (await made.change("PUT", "-/api/queues/email/nobody/cancel", {})).status_code == 404
    assert (await made.change("PUT", cancel, {"reason": "x" * 2_000})).status_code == 400


async def test_steps_are_shown_and_a_job_runs_again_from_one(
    queue: Queue[Any], board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    async def process(job: Job) -> None:
        await job.step("charge", lambda: {"id": 7, "token": "s3cret"})
        await job.step("<ship's>", lambda: "x" * 500)
        await job.wait_for("go")

    job = await queue.add("job", {})
    await queue.signal(job.id, "go")
    async with Worker[Any, Any]("email", process, connection=redis_url, prefix=key_prefix):
        await job.wait_until_finished(ttl=10_000)
    made = board()
    page = (await made.get(f"-/job?queue=email&id={job.id}")).text
    for part in ("charge", "&#34;id&#34;:7", "[redacted]", "&lt;ship&#39;s&gt;", f"{'x' * 199}...", "wait"):
        assert part in page
    assert "s3cret" not in page
    again = next(path for path in offered(page) if path.endswith("/retry-from"))
    assert (await made.change("PUT", again, {})).status_code == 400
    assert "has done no step" in (await made.change("PUT", again, {"step": "nothing"})).text
    assert (await made.change("PUT", "-/api/queues/email/nobody/retry-from", {"step": "a"})).status_code == 404
    assert (await made.change("PUT", again, {"step": "<ship's>"})).json() == {"message": "runs again from <ship's>"}
    assert await job.get_state() == "waiting"
    assert [step.name for step in await queue.get_steps(job.id)] == ["charge"]
    assert "has done no step" in (await made.change("PUT", again, {"step": "go"})).text
    refused = await board(policy=lambda access: access.action == "read").change("PUT", again, {"step": "charge"})
    assert refused.status_code == 403


async def test_what_is_offered_is_done(queue: Queue[Any], board: MakeBoard, redis_url: str, key_prefix: str) -> None:
    job = await queue.add("job", {}, job_id="a/b c%2F")
    await fail(queue, redis_url, key_prefix)
    made = board()
    path = "-/job?queue=email&id=a%2Fb+c%252F"
    retry, remove = sorted(offered((await made.get(path)).text), reverse=True)
    assert (await made.change("PUT", retry, {})).status_code == 204
    assert await queue.get_job_state(job.id) == "waiting"
    assert (await made.change("PUT", remove, {})).status_code == 204
    assert (await made.get(path)).status_code == 404


async def test_of_a_long_log_the_newest_lines_are_shown_and_the_bound_said(queue: Queue[Any], board: MakeBoard) -> None:
    job = await queue.add("job", {})
    for number in range(LOG_LINES + 5):
        await job.log(f"line {number}.")
    await job.log("x" * 5_000)
    page = (await board().get(f"-/job?queue=email&id={job.id}")).text
    assert f"The newest {LOG_LINES} of {LOG_LINES + 6} lines" in page
    assert "line 5." not in page
    assert "line 6." in page
    assert "(5000 characters)" in page
    assert "x" * 2_001 not in page


async def test_parent_and_children_lead_to_each_other(
    open_queue: OpenQueue, board: MakeBoard, redis_url: str, key_prefix: str
) -> None:
    above, below = open_queue("above"), open_queue("below")
    async with FlowProducer(connection=redis_url, prefix=key_prefix) as flows:
        children: list[FlowJob] = [
            {"name": f"child {n}", "queue_name": "below", "opts": {"job_id": f"c{n}"}} for n in range(3)
        ]
        await flows.add({"name": "root", "queue_name": "above", "opts": {"job_id": "p"}, "children": children})
    made = board(above, below)
    parent = (await made.get("-/job?queue=above&id=p")).text
    assert sorted(re.findall(r"/job\?queue=below&amp;id=(c\d)", parent)) == ["c0", "c1", "c2"]
    child = (await made.get("-/job?queue=below&id=c1")).text
    assert "/job?queue=above&amp;id=p" in child
    apart = board(above, below, policy=lambda access: access.queue != "above")
    assert "queue=above" not in (await apart.get("-/job?queue=below&id=c1")).text
    apart = board(above, below, policy=lambda access: access.queue != "below")
    assert "child 1" not in (await apart.get("-/job?queue=above&id=p")).text


async def test_a_broken_job_is_shown_as_that(queue: Queue[Any], board: MakeBoard) -> None:
    job = await queue.add("job", {})
    key = queue.keys.of(job.id)
    await queue.connection.execute("HSET", key, "data", "{no json", "opts", "[1]", "stacktrace", "7", "progress", "nan")
    answer = await board().get(f"-/job?queue=email&id={job.id}")
    assert answer.status_code == 200
    assert "not JSON" in answer.text
    await queue.connection.execute("HSET", key, "data", '{"half": "\\ud800"}', "name", b"\xff\xfe")
    assert (await board().get(f"-/job?queue=email&id={job.id}")).status_code == 200
    await queue.connection.execute("DEL", key)
    await queue.connection.execute("SET", key, "no hash")
    answer = await board().get(f"-/job?queue=email&id={job.id}")
    assert answer.status_code == 200
    assert "cannot be read" in answer.text


async def test_hostile_data_and_logs_are_text(queue: Queue[Any], board: MakeBoard) -> None:
    job = await queue.add(EVIL, {EVIL: EVIL}, deduplication={"id": EVIL})
    await job.log(EVIL)
    await job.update_progress(EVIL)
    page = (await board().get(f"-/job?queue=email&id={job.id}")).text
    assert "<img" not in page
    assert page.count("&lt;img") >= 6


async def test_bull_boards_jobs_lead_to_our_page_of_them(queue: Queue[Any], board: MakeBoard) -> None:
    await queue.add("job", {}, job_id="a/b&c=<d>")
    made = board()
    job = (await made.get("api/queues?activeQueue=email")).json()["queues"][0]["jobs"][0]
    link = job["externalUrl"]
    assert link["displayText"] == "details"
    assert link["href"].startswith("/admin/queues/-/job?queue=email&id=")
    page = await made.get(link["href"])
    assert page.status_code == 200
    assert "a/b&amp;c=&lt;d&gt;" in page.text


async def test_a_queues_own_links_come_before_ours(queue: Queue[Any], board: MakeBoard) -> None:
    job = await queue.add("job", {})
    made = board(BoardQueue(queue=queue, job_url=lambda _: ("order", "https://shop.example/7")))
    given = (await made.get(f"api/queues/email/{job.id}")).json()["job"]["externalUrl"]
    assert given == {"displayText": "order", "href": "https://shop.example/7"}
    assert 'href="https://shop.example/7"' in (await made.get(f"-/job?queue=email&id={job.id}")).text
