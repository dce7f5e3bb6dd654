"""Every example of docs/interceptors.md runs, and does what the page says."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import Job
from bullworks.core import create_application, module
from bullworks.workers import BullModule, GuardRefusedError, get_queue_token
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import examples_of
from tests.bullworks.docs.stage import Stage
from tests.bullworks.waiting import eventually

PAGE = "docs/interceptors.md"
EXAMPLES = examples_of(PAGE)

checks = Checks()


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str) -> None:
    await checks.by_name[example.name](Stage(example, redis_url, key_prefix))


async def _reaches(job: Job, state: str) -> Job:
    async def is_there() -> bool:
        return await job.get_state() == state

    await eventually(is_there, what=f"{job} to be {state}")
    await job.refresh()
    return job


@checks("in-one-look")
async def each_job_is_timed(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.EmailWorker, page.Timings, queues=("email",)) as app:
        job = await app.get(get_queue_token("email")).add("welcome", {"email": "a@b"})
        assert (await stage.finished(job)).returnvalue == "sent to a@b"
        ((name, took_s),) = app.get(page.Timings)
        assert name == "welcome"
        assert took_s >= 0


@checks("guards")
async def each_tenant_has_its_answer(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.InvoiceWorker, queues=("invoices",)) as app:
        queue = app.get(get_queue_token("invoices"))
        jobs = {tenant: await queue.add("x", {"tenant": tenant}) for tenant in ("acme", "deleted", "paused", "blocked")}
        assert (await _reaches(jobs["acme"], "completed")).returnvalue == "invoiced acme"
        assert (await _reaches(jobs["deleted"], "completed")).returnvalue == "nobody wants it any more"
        assert (await _reaches(jobs["paused"], "delayed")).attempts_made == 0
        assert (await _reaches(jobs["blocked"], "failed")).failed_reason == str(
            GuardRefusedError("Suspended", "x", "invoices")
        )


@checks("cache")
async def a_page_is_rendered_once(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.PageWorker, page.Cache, queues=("pages",)) as app:
        queue = app.get(get_queue_token("pages"))
        for url in ("a", "b"):
            assert (await stage.finished(await queue.add("render", {"url": url}))).returnvalue == f"<p>{url}</p>"
        app.get(page.Cache)["a"] = "kept"
        assert (await stage.finished(await queue.add("render", {"url": "a"}))).returnvalue == "kept"


@checks("pipes")
async def cents_lie_in_redis(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.PaymentWorker, queues=("payments",)) as app:
        job = await stage.finished(await app.get(get_queue_token("payments")).add("x", {"amount": "12.50"}))
        assert (job.data, job.returnvalue) == ({"amount": 1250}, "paid 12.50")


@checks("filters")
async def errors_come_to_different_ends(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.SyncWorker, queues=("sync",)) as app:
        queue = app.get(get_queue_token("sync"))
        gone = await _reaches(await queue.add("x", 404, attempts=3), "failed")
        assert gone.failed_reason == f"job {gone.id}: there is no such thing"
        assert (await _reaches(await queue.add("x", 503), "delayed")).attempts_made == 0
        assert (await _reaches(await queue.add("x", 500), "failed")).failed_reason == "500"
        await queue.add("x", 429)

        async def is_limited() -> bool:
            return await queue.get_rate_limit_ttl() > 0

        await eventually(is_limited, what="the queue to be limited")


@checks("adding")
async def unknown_tenants_add_nothing_and_one_is_first(stage: Stage) -> None:
    page = await stage.run()
    root = BullModule.for_root(connection=stage.redis_url, prefix=stage.prefix, workers_enabled=False)

    @module(imports=[root, page.ReportsModule])
    class AppModule: ...

    async with await create_application(AppModule) as app:
        queue = app.get(get_queue_token("reports"))
        assert (await queue.add("x", {"tenant": "acme"})).priority == 1
        assert (await queue.add("x", {"tenant": "globex"})).priority == 0
        with pytest.raises(GuardRefusedError, match="KnownTenants refused the job 'x' of queue 'reports'"):
            await queue.add("x", {"tenant": "other"})


@checks("request-scope")
async def a_guard_has_its_job_injected(stage: Stage) -> None:
    page = await stage.run()
    async with stage.application(page.ExportWorker, page.Tenant, queues=("exports",)) as app:
        queue = app.get(get_queue_token("exports"))
        assert (await stage.finished(await queue.add("x", {"tenant": "acme"}))).returnvalue == "exported acme"
        refused = await stage.finished(await queue.add("x", {"tenant": "other"}))
        assert (refused.failed_reason or "").startswith("TenantGuard refused the job")
