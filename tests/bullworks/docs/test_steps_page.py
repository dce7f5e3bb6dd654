"""Every example of docs/steps.md runs, and does what the page says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from bullworks.bullmq import Job, Worker
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import examples_of
from tests.bullworks.docs.stage import Stage
from tests.bullworks.waiting import eventually

PAGE = "docs/steps.md"
EXAMPLES = examples_of(PAGE)

checks = Checks()


@dataclass
class Parcel:
    tracking: str


@dataclass
class Approval:
    by: str


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str) -> None:
    await checks.by_name[example.name](Stage(example, redis_url, key_prefix))


@checks("steps")
async def nobody_is_charged_twice(stage: Stage) -> None:
    page = await stage.run(Parcel=Parcel)
    calls: list[Any] = []

    class Orders(page.OrderWorker):  # type: ignore[name-defined,misc]
        async def charge(self, cents: int) -> dict[str, int]:
            calls.append(cents)
            return {"id": 7}

        def ship(self, address: str) -> Parcel:
            calls.append(address)
            return Parcel("P-1")

        async def mail(self, address: str, charge: int) -> None:
            calls.append((address, charge))
            if calls.count((address, charge)) < 2 and address == "b":
                raise ConnectionError("not this time")

    handler = Orders().process
    data = {"cents": 5, "address": "here", "copies": ["a", "b"]}
    job = await stage.processed(handler, data, attempts=2)
    assert (job.returnvalue, calls) == ("P-1", [5, "here", ("a", 7), ("b", 7), ("b", 7)])


@checks("cursor")
async def each_row_is_copied_once(stage: Stage) -> None:
    copied: list[int] = []

    async def read_rows(offset: int) -> AsyncIterator[int]:
        for row in range(offset, 250):
            yield row

    async def copy(row: int) -> None:
        copied.append(row)
        if row == 230 and copied.count(row) == 1:
            raise ConnectionError("not this time")

    page = await stage.run(Job=Job, read_rows=read_rows, copy=copy)
    await stage.processed(page.process, None, attempts=2)
    assert copied == [*range(231), *range(200, 250)]


@checks("sleep")
async def the_tips_come_later(stage: Stage) -> None:
    mails: list[str] = []
    page = await stage.run(Job=Job, mail=lambda kind, to: mails.append(kind))
    async with stage.queue("mails") as queue:
        job = await queue.add("mail", {"to": "a@b"})
        async with Worker("mails", page.process, connection=stage.redis_url, prefix=stage.prefix):
            await eventually(job.is_delayed)
            await job.refresh()
            assert (mails, job.delay) == (["welcome"], 259_200_000)
            await job.promote()
            await stage.finished(job)
    assert (mails, job.attempts_made) == (["welcome", "tips"], 1)


@checks("wait")
async def it_waits_for_the_approval(stage: Stage) -> None:
    page = await _waiting(stage)
    async with stage.queue("approvals") as queue:
        job = await queue.add("ask")
        await queue.signal(job.id, "approval", {"by": "ann"})
        async with Worker("approvals", page.process, connection=stage.redis_url, prefix=stage.prefix):
            assert (await stage.finished(job)).returnvalue == "approved by ann"


@checks("signal")
async def the_signal_wakes_it(stage: Stage) -> None:
    page = await _waiting(stage)
    async with stage.queue("approvals") as queue:
        job = await queue.add("ask")
        async with Worker("approvals", page.process, connection=stage.redis_url, prefix=stage.prefix):
            await eventually(job.is_delayed)
            sent = await stage.run(queue=queue, job_id=job.id)
            assert sent.outcome == "woken"
            assert (await stage.finished(job)).returnvalue == "approved by ann"


async def _waiting(stage: Stage) -> Any:
    names = {"Job": Job, "timedelta": timedelta, "Approval": Approval, "ask_for_approval": lambda job_id: job_id}
    return await stage.run_other("wait", **names)


@checks("retry-from")
async def only_what_follows_is_done_again(stage: Stage) -> None:
    done: list[str] = []

    async def process(job: Job) -> None:
        for step in ("charge", "ship", "mail"):
            await job.step(step, done.append, step)

    async with stage.queue("orders") as queue:
        job = await queue.add("order")
        async with Worker("orders", process, connection=stage.redis_url, prefix=stage.prefix):
            await stage.finished(job)
            await stage.run(queue=queue, job_id=job.id)
            await stage.finished(job)
    assert done == ["charge", "ship", "mail", "ship", "mail"]


@checks("testing-steps")
async def the_readers_test_passes(stage: Stage) -> None:
    other = await stage.run_other("sleep", Job=Job, mail=lambda kind, to: None)
    page = await stage.run(process=other.process, timedelta=timedelta)
    await page.test_the_tips_come_after_three_days()
