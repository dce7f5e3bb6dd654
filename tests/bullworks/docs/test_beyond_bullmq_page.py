"""Every example of docs/beyond-bullmq.md runs, and does what the page says."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from bullworks.bullmq import Batch, GroupLimits, GroupSize, Job, JobSpec, Keyring, Worker
from bullworks.bullmq.wire.payload_type import PayloadType
from bullworks.workers import get_queue_token
from tests.bullworks.docs import checks_of_lifetimes, checks_of_limits
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import ROOT, examples_of
from tests.bullworks.docs.stage import Stage
from tests.bullworks.waiting import eventually

PAGE = "docs/beyond-bullmq.md"
EXAMPLES = examples_of(PAGE)

checks = Checks()
checks.by_name |= checks_of_lifetimes.checks.by_name | checks_of_limits.checks.by_name


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    await checks.by_name[example.name](Stage(example, redis_url, key_prefix))


def test_the_lines_for_npm_are_those_that_the_tests_against_npm_run() -> None:
    """tests/bullworks/compat/test_cancelling_with_node.py runs the script; queue and connection are the test's own."""
    page = (ROOT / PAGE).read_text()
    script = (ROOT / "tests/bullworks/node/cancel.mjs").read_text()
    (block,) = re.findall(r"<!-- lines: npm -->\n```js\n(.*?)```", page, re.DOTALL)
    first, second = block.splitlines()
    assert re.search(r"events = new QueueEvents\(", first)
    assert re.search(r"events = new QueueEvents\(", script)
    assert second in script


def test_the_lines_for_npm_that_open_encrypted_fields_are_those_that_its_test_runs() -> None:
    page = (ROOT / PAGE).read_text()
    (block,) = re.findall(r"<!-- lines: npm open -->\n```js\n(.*?)```", page, re.DOTALL)
    assert block in (ROOT / "tests/bullworks/node/open_sealed.mjs").read_text()


def test_the_lines_for_node_that_refuse_expired_jobs_are_those_that_its_test_runs() -> None:
    page = (ROOT / PAGE).read_text()
    (block,) = re.findall(r"<!-- lines: npm expires -->\n```js\n(.*?)```", page, re.DOTALL)
    assert block in (ROOT / "tests/bullworks/node/expiring_worker.mjs").read_text()


@checks("cancel")
async def a_job_that_waits_has_ended(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        job = await queue.add("welcome-email", {})
        page = await stage.run(queue=queue, job_id=job.id)
        assert page.outcome == "cancelled"
        await job.refresh()
    assert job.failed_reason == "cancelled: the user left"


@checks("cancel-many")
async def those_that_wait_are_gone(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        jobs = [await queue.add("welcome-email", {}) for _ in range(3)]
        page = await stage.run(queue=queue, job_ids=[*(job.id for job in jobs), "nobody"])
        assert page.Counter(page.outcomes.values()) == {"cancelled": 3, "missing": 1}
        assert await queue.get_job(jobs[0].id) is None


@checks("handler")
async def it_stops_between_two_rows(stage: Stage) -> None:
    copied: list[int] = []

    async def copy(row: int) -> None:
        copied.append(row)
        await asyncio.sleep(0)
        if row == 2:
            await queue.cancel(job.id, "the user left")
            await eventually(lambda: worker.active_jobs[0].signal.aborted)

    page = await stage.run(copy=copy)
    async with stage.queue("copies") as queue:
        job = await queue.add("copy", {"rows": [1, 2, 3]}, attempts=3)
        worker = Worker[Any, Any]("copies", page.process, connection=stage.redis_url, prefix=stage.prefix)
        async with worker:
            await eventually(job.is_failed)
        await job.refresh()
        assert (copied, job.failed_reason) == ([1, 2], "cancelled: the user left")
        assert await job.logs() == ["stopped after 2 rows: cancelled: the user left"]


@checks("batches")
async def many_rows_are_one_insert(stage: Stage) -> None:
    inserts: list[list[Any]] = []

    class Table:
        async def insert(self, rows: list[Any]) -> None:
            inserts.append(rows)

    async with stage.queue("rows") as queue:
        await queue.add_bulk([JobSpec("row", {"n": n}) for n in range(150)])
    page = await stage.run(Table=Table)
    async with stage.application(page.RowWorker, Table, queues=("rows",)) as application:
        queue = application.get(get_queue_token("rows"))
        await eventually(lambda: sum(map(len, inserts)) == 150)
        assert await queue.get_failed_count() == 0
    assert inserts == [[{"n": n} for n in range(100)], [{"n": n} for n in range(100, 150)]]


@checks("batch-min-size")
async def small_ones_wait(stage: Stage) -> None:
    page = await stage.run(Batch=Batch)
    assert (page.batch.min_size, page.batch.max_wait_ms) == (20, 1_000)


@checks("batch-outcomes")
async def each_has_its_own(stage: Stage) -> None:
    async def send(data: Any) -> str:
        if data == "bad":
            raise ValueError("no such address")
        return f"sent to {data}"

    page = await stage.run(Job=Job, send=send)
    async with stage.queue("mails") as queue:
        jobs = await queue.add_bulk([JobSpec("mail", data) for data in ("ada", "bad", "bob")])
        batch = Batch(size=3)
        async with Worker("mails", page.process, connection=stage.redis_url, prefix=stage.prefix, batch=batch):
            ada, bad, bob = [await stage.finished(job) for job in jobs]
    assert (ada.returnvalue, bad.failed_reason, bob.returnvalue) == ("sent to ada", "no such address", "sent to bob")


@checks("groups")
async def the_small_group_is_second(stage: Stage) -> None:
    async with stage.queue("imports") as queue:
        await stage.run(queue=queue)
        first, second, third = await queue.get_prioritized(0, 2)
        assert (first.group, second.group, third.group) == ("acme", "small", "gold")


@checks("group-limits")
async def the_limits_are_set(stage: Stage) -> None:
    async with stage.queue("imports") as queue:
        await stage.run(queue=queue)
        assert await queue.get_group_limits() == GroupLimits(concurrency=5, max_size=10_000)
        assert await queue.get_group_limits("acme") == GroupLimits(rate_max=100, rate_duration_ms=60_000, weight=2)
        assert (await queue.get_group_limits("ledger")).ordered
        assert not await queue.is_group_paused("acme")


@checks("looking-at-groups")
async def groups_are_shown(stage: Stage) -> None:
    said: list[str] = []
    async with stage.queue("imports") as queue:
        await queue.add_bulk([JobSpec("import", group={"id": "acme"}) for _ in range(3)])
        page = await stage.run(queue=queue, print=said.append)
        assert page.group == GroupSize("acme", 3)
        assert said == ["acme: 0 active, 3 waiting, 0 parked"]
        assert [job.id for job in page.next_jobs] == ["1", "2", "3"]


@checks("encrypted")
async def the_card_is_paid_with_and_is_not_in_redis(stage: Stage) -> None:
    paid: list[tuple[int, str]] = []

    async def pay(number: int, card: str) -> None:
        paid.append((number, card))

    page = await stage.run(pay=pay, url=stage.redis_url, prefix=stage.prefix)
    await page.sell({"2026-11": Keyring.new_key(), "2026-05": Keyring.new_key()})
    assert paid == [(7, "4111 1111")]
    async with stage.queue("orders") as queue:
        job = await queue.get_job("1")
        assert job is not None
        assert (job.data["number"], job.data["card"]["kid"]) == (7, "2026-11")


@checks("versions")
async def an_older_payload_is_read(stage: Stage) -> None:
    page = await stage.run()
    kind: PayloadType[Any] = PayloadType("data_type", page.User)
    assert kind.decode(b'{"name":"Ada Lovelace"}') == page.User(given="Ada", family="Lovelace")
    assert kind.plain(page.User(given="Ada", family="Lovelace"))["$version"] == 2


async def no_such_address(_: Job) -> None:
    raise ValueError("no such address")


@checks("dead-letters")
async def a_failed_job_is_in_the_other_queue(stage: Stage) -> None:
    page = await stage.run(Worker=Worker, send=no_such_address, url=stage.redis_url, prefix=stage.prefix)
    async with stage.queue("email") as queue, stage.queue("email-dead") as dead, page.worker:
        await queue.add("welcome-email", {"to": "a@b"})
        await eventually(lambda: _waits(dead, 1))
        (letter,) = await dead.get_jobs("waiting")
        assert (letter.data["reason"], letter.data["data"]) == ("no such address", {"to": "a@b"})
        assert {*letter.data} == {"queue", "id", "reason", "attempts", "failedOn", "opts", "data"}


@checks("replay")
async def one_and_then_the_others_are_back(stage: Stage) -> None:
    async with stage.queue("email") as queue, stage.queue("email-dead") as dead:
        async with Worker("email", no_such_address, connection=stage.redis_url, prefix=stage.prefix, dead_letter=True):
            for number in range(3):
                await queue.add("welcome-email", {"n": number})
            await eventually(lambda: _waits(dead, 3))
        letter = (await dead.get_jobs("waiting"))[0]
        page = await stage.run(queue=queue, letter_id=letter.id)
        assert page.replayed == 2
        assert await _waits(queue, 3)


async def _waits(queue: Any, count: int) -> bool:
    return bool((await queue.get_job_counts("waiting"))["waiting"] == count)
