"""Checks of what docs/beyond-bullmq.md says of limits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from bullworks.bullmq import Job
from bullworks.core import create_application
from bullworks.limits import Limit, LimitReachedError, Window
from bullworks.testing import MemoryLimit
from bullworks.workers import get_queue_token
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.stage import Stage

checks = Checks()


class Llm:
    """An API that has too many requests at first, if it is told to."""

    def __init__(self, *, refusals: int = 0) -> None:
        self.refusals = refusals

    async def complete(self, _text: str) -> Any:
        self.refusals -= 1
        if self.refusals >= 0:
            return SimpleNamespace(status=429, retry_after=0.1)
        return SimpleNamespace(status=200, text="short", tokens=700)


def of_our_own(stage: Stage) -> Stage:
    """The example with names on the server that no other test uses."""
    example = stage.example
    code = example.code.replace('"llm"', f'"llm:{uuid4()}"')
    return Stage(type(example)(example.page, example.name, code, example.line), stage.redis_url, stage.prefix)


@checks("limits")
async def what_was_spent_counts_and_a_refusal_puts_the_job_off(stage: Stage) -> None:
    llm = Llm(refusals=1)
    page = await of_our_own(stage).run(Llm=Llm)
    async with await create_application(page.SummariesModule) as application:
        worker = application.select(page.SummariesModule).get(page.SummaryWorker)
        worker.llm = llm
        queue = application.get(get_queue_token("summaries"))
        job = await queue.add("summary", {"text": "long", "tenant": "acme"})
        await stage.finished(job)
        assert (job.returnvalue, job.attempts_made, job.attempts_started) == ("short", 1, 2)
        usage = await worker.llm_limit.get_usage(key="acme")
    assert [window.used for window in usage.windows] == [700, 700]


@checks("limit-alone")
async def it_waits_or_is_refused(stage: Stage) -> None:
    fetched: list[str] = []

    async def fetch(url: str) -> None:
        fetched.append(url)

    page = await stage.run(fetch=fetch, urls=["a", "b"])
    assert fetched == ["a", "b"]
    async with Limit("crawler", *page.limit.windows, connection=stage.redis_url) as limit:
        await limit.pause(60_000, key="example.com")
        with pytest.raises(LimitReachedError):
            await limit.reserve(key="example.com", wait=10)
        await limit.resume(key="example.com")


@checks("testing-limits")
async def the_test_passes(stage: Stage) -> None:
    async def process(job: Job) -> None:
        await limit.reserve(500, job=job)

    limit = MemoryLimit("llm", Window(1_000, per=60_000))
    page = await stage.run(limit=limit, process=process)
    await page.test_a_summary_waits_for_room()
