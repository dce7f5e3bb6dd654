"""Metrics: who reads them, and what they say."""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from bullworks.bullmq import InvalidOptionError
from bullworks.core import Application, injectable
from bullworks.health import Credentials
from bullworks.health.exposition import format_metrics
from bullworks.health.options import HealthOptions, complete
from bullworks.health.reading import FleetReading, QueueReading, Reading
from bullworks.health.settings import HealthSettings
from bullworks.locks import DistributedLockService
from bullworks.schedule import cron
from bullworks.settings import SettingsSource
from bullworks.workers import get_queue_token
from bullworks.workers.history import Tally
from tests.bullworks.health.conftest import BEARER, TOKEN, EmailWorker, Serving, get
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def samples(text: str) -> dict[tuple[str, str, str], float]:
    """Values by name, queue, and state or bucket."""
    return {
        (each.name, each.labels.get("queue", ""), each.labels.get("state") or each.labels.get("le") or ""): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


async def read(app: Application) -> dict[tuple[str, str, str], float]:
    answer = await get(app, "/metrics", **BEARER)
    assert answer.status_code == 200
    return samples(answer.text)


async def test_counts_totals_and_histograms_are_there_by_queue(serving: Serving) -> None:
    async with serving(EmailWorker, queues=("email", "other")) as app:
        email, other = (app.get(get_queue_token(name)) for name in ("email", "other"))
        await email.add("good", timestamp=int(time.time() * 1000) - 60_000)
        await email.add("good")
        await email.add("bad", attempts=2)
        await other.add("x", timestamp=int(time.time() * 1000) - 60_000)
        await other.add("x", delay=60_000)

        async def is_counted() -> dict[tuple[str, str, str], float] | None:
            found = await read(app)
            return found if found["bullworks_jobs_processed_total", "email", ""] == 3 else None

        found = await eventually(is_counted)
        assert found is not None
    assert found["bullworks_jobs", "email", "completed"] == 2
    assert found["bullworks_jobs", "email", "failed"] == 1
    assert found["bullworks_jobs", "other", "waiting"] == 1
    assert found["bullworks_jobs", "other", "delayed"] == 1
    assert found["bullworks_jobs_failed_total", "email", ""] == 1
    assert found["bullworks_attempts_retried_total", "email", ""] == 1
    assert found["bullworks_jobs_processed_total", "other", ""] == 0
    assert found["bullworks_oldest_waiting_job_seconds", "other", ""] == pytest.approx(60, abs=15)
    assert found["bullworks_oldest_waiting_job_seconds", "email", ""] == 0
    assert found["bullworks_job_duration_seconds_count", "email", ""] == 4
    assert found["bullworks_job_duration_seconds_bucket", "email", "+Inf"] == 4
    assert found["bullworks_job_wait_seconds_count", "email", ""] == 3
    assert found["bullworks_job_wait_seconds_bucket", "email", "32.768"] == 2
    assert found["bullworks_job_wait_seconds_bucket", "email", "131.072"] == 3
    assert found["bullworks_job_wait_seconds_sum", "email", ""] == pytest.approx(60, abs=20)
    assert found["process_start_time_seconds", "", ""] > 0


async def test_buckets_grow_and_end_with_all(serving: Serving) -> None:
    async with serving(EmailWorker) as app:
        await app.get(get_queue_token("email")).add("good")
        await eventually(app.get(get_queue_token("email")).get_completed_count)
        answer = await get(app, "/metrics", **BEARER)
    for family in text_string_to_metric_families(answer.text):
        if family.type == "histogram":
            buckets = [(float(s.labels["le"]), s.value) for s in family.samples if s.name.endswith("_bucket")]
            assert [le for le, _ in buckets] == sorted(le for le, _ in buckets)
            assert [value for _, value in buckets] == sorted(value for _, value in buckets)
            assert len(buckets) == 23


async def test_the_older_text_and_openmetrics_are_both_spoken(serving: Serving) -> None:
    async with serving(EmailWorker) as app:
        plain = await get(app, "/metrics", **BEARER)
        modern = await get(app, "/metrics", **BEARER, Accept="application/openmetrics-text; version=1.0.0")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert modern.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in openmetrics.text_string_to_metric_families(modern.text)}
    assert {"bullworks_jobs", "bullworks_jobs_processed", "bullworks_job_duration_seconds"} <= names


async def test_names_of_queues_cannot_forge_a_line(serving: Serving) -> None:
    name = 'odd"} 1\nbullworks_forged 7'
    async with serving(queues=(name,)) as app:
        found = await read(app)
    assert found["bullworks_jobs", name, "waiting"] == 0
    assert not any(metric == "bullworks_forged" for metric, _, _ in found)


async def test_every_process_tells_of_the_whole_fleet(serving: Serving) -> None:
    async with serving(EmailWorker) as app, serving(EmailWorker, workers_enabled=False) as idle:
        await app.get(get_queue_token("email")).add("good")

        async def is_seen() -> bool:
            return (await read(idle))["bullworks_jobs_processed_total", "email", ""] == 1

        await eventually(is_seen)


BOTH = Credentials(token=TOKEN, user="prometheus", password="pass:word")


@pytest.mark.parametrize(
    ("auth", "headers", "is_let_in"),
    [
        (BOTH, BEARER, True),
        (BOTH, {"Authorization": f"bearer  {TOKEN} "}, True),
        (BOTH, basic("prometheus", "pass:word"), True),
        (BOTH, {}, False),
        (BOTH, {"Authorization": "Bearer"}, False),
        (BOTH, {"Authorization": "Bearer wrong"}, False),
        (BOTH, {"Authorization": f"Bearer {TOKEN}x"}, False),
        (BOTH, {"Authorization": f"Digest {TOKEN}"}, False),
        (BOTH, basic("prometheus", "wrong"), False),
        (BOTH, basic("somebody", "pass:word"), False),
        (BOTH, basic("", TOKEN), False),
        (BOTH, {"Authorization": "Basic no-base64!"}, False),
        (BOTH, {"Authorization": "Basic /w=="}, False),
        (Credentials(token=TOKEN), basic("prometheus", ""), False),
        (Credentials(token=TOKEN), basic("prometheus", "None"), False),
        (Credentials(password="p"), {"Authorization": "Bearer "}, False),
        (Credentials(password="p"), {"Authorization": "Bearer None"}, False),
        (Credentials(), {}, False),
        (Credentials(), {"Authorization": "Bearer "}, False),
        (Credentials(), basic("prometheus", ""), False),
        (Credentials(token="", password=""), {"Authorization": "Bearer "}, False),
        (Credentials(token="", password=""), basic("prometheus", ""), False),
    ],
)
def test_who_is_let_in(auth: Credentials, headers: dict[str, str], is_let_in: bool) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    assert auth(Request({"type": "http", "headers": raw})) is is_let_in


async def test_who_is_not_let_in_learns_only_how_to_log_in(serving: Serving) -> None:
    async with serving(metrics_auth=BOTH) as app:
        assert (await get(app, "/metrics", **basic("prometheus", "pass:word"))).status_code == 200
        for headers in ({}, basic("prometheus", "wrong"), {"Authorization": "Bearer wrong"}):
            answer = await get(app, "/metrics", **headers)
            assert (answer.status_code, answer.text) == (401, "not ok\n")
            assert answer.headers["www-authenticate"].startswith("Bearer")
    async with serving(metrics_auth=Credentials()) as app:
        assert (await get(app, "/metrics")).status_code == 401


async def test_a_function_of_ones_own_may_decide(serving: Serving) -> None:
    async def lets_in(request: Request) -> bool:
        return request.headers.get("x-team") == "ops"

    def truthy(request: Request) -> Any:
        return "yes"  # not True: a mistake must not open

    async with serving(metrics_auth=lets_in) as app:
        assert (await get(app, "/metrics", **{"X-Team": "ops"})).status_code == 200
        assert (await get(app, "/metrics", **BEARER)).status_code == 401
    async with serving(metrics_auth=truthy) as app:
        assert (await get(app, "/metrics")).status_code == 401


async def test_a_function_that_fails_lets_nobody_in(serving: Serving) -> None:
    def broken(request: Request) -> bool:
        raise LookupError("the inside")

    async with serving(metrics_auth=broken) as app:
        answer = await get(app, "/metrics", **BEARER)
        assert (answer.status_code, answer.text) == (500, "Internal Server Error")


@pytest.mark.process
@pytest.mark.timeout(40)
async def test_without_redis_the_process_tells_of_itself_and_that_redis_is_away(
    serving: Serving, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisServer(tmp_path) as server:
        async with serving(EmailWorker, url=server.url) as app:
            assert (await read(app))["bullworks_redis_up", "", ""] == 1
            server.freeze()
            found = await read(app)
            await read(app)
            server.thaw()
            await eventually(lambda: is_up(app))
    assert found["bullworks_redis_up", "", ""] == 0
    assert found["bullworks_process_worker_slots", "email", ""] == 1
    assert not any(metric == "bullworks_jobs" for metric, _, _ in found)
    assert caplog.text.count("metrics of the fleet cannot be read: Redis did not answer in time") == 1


async def is_up(app: Application) -> bool:
    return (await read(app))["bullworks_redis_up", "", ""] == 1


async def test_a_scope_keeps_many_processes_from_telling_the_same(serving: Serving) -> None:
    async with serving(EmailWorker, metrics_scope="process") as one, serving(metrics_scope="fleet") as exporter:
        of_process = {name for name, _, _ in await read(one)}
        of_fleet = {name for name, _, _ in await read(exporter)}
    assert of_process & of_fleet == {"bullworks_info"}
    assert {"bullworks_process_worker_slots", "bullworks_process_running_jobs", "process_open_fds"} <= of_process
    assert {"bullworks_redis_up", "bullworks_jobs", "bullworks_locks_held"} <= of_fleet


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match="metrics_scope: must be one of all, process, fleet, not 'pod'"):
        complete(HealthOptions(metrics_scope="pod"))  # type: ignore[arg-type]


async def test_what_is_set_of_a_queue_and_what_crons_did_is_told(serving: Serving) -> None:
    @injectable()
    class Crons:
        def __init__(self) -> None:
            self.has_failed = False

        @cron("* * * * * *", name="every-second")
        async def run(self) -> None:
            if not self.has_failed:
                self.has_failed = True
                raise ValueError("the first time")

    async with serving(EmailWorker, Crons) as app:
        queue = app.get(get_queue_token("email"))
        await queue.pause()
        await queue.set_global_concurrency(7)
        await queue.rate_limit(60_000)

        async def have_both_run() -> bool:
            found = await read(app)
            last = found.get(("bullworks_cron_last_run_timestamp_seconds", "", ""), 0)
            return 0 < last == found.get(("bullworks_cron_last_success_timestamp_seconds", "", ""))

        async with (await app.resolve(DistributedLockService)).hold("report", 60_000):
            await eventually(have_both_run, within_s=20)
            found = await read(app)
    assert found["bullworks_queue_paused", "email", ""] == 1
    assert found["bullworks_queue_concurrency_limit", "email", ""] == 7
    assert 50 < found["bullworks_queue_rate_limited_seconds", "email", ""] <= 60
    assert found["bullworks_cron_missed_ticks", "", ""] == 0
    assert found["bullworks_locks_held", "", ""] == 1


def test_only_the_busiest_queues_have_histograms() -> None:
    queues = [a_reading(name, completed) for name, completed in (("idle", 0), ("busy", 9), ("calm", 3))]
    text, _ = format_metrics(Reading(fleet=FleetReading(queues=queues), is_redis_up=True), 2, "")
    found = samples(text.decode())
    assert {queue for name, queue, _ in found if name.endswith("_bucket")} == {"busy", "calm"}
    assert {queue for name, queue, _ in found if name == "bullworks_jobs_processed_total"} == {"idle", "busy", "calm"}


def a_reading(name: str, completed: int) -> QueueReading:
    ever = Tally()
    ever.completed = completed
    return QueueReading(
        name=name, counts={}, oldest_ms=None, ever=ever, is_paused=False, concurrency=None, rate_limit_ttl_ms=0
    )


def test_secrets_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "hunter2")
    monkeypatch.setenv("METRICS_PASSWORD", "hunter2")
    monkeypatch.setenv("HEALTH_MAX_RUN_MS", "5000")
    setup = complete(HealthOptions(), SettingsSource()[HealthSettings])
    assert setup.max_run_ms == 5_000
    assert isinstance(setup.metrics_auth, Credentials)
    assert (setup.metrics_auth.token, setup.metrics_auth.user, setup.metrics_auth.password) == (
        "hunter2", "prometheus", "hunter2",
    )  # fmt: skip
    assert "hunter2" not in repr(setup)


async def test_the_log_says_where_nobody_can_read_them(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "bullworks.health"):
        async with serving(metrics_auth=Credentials()):
            assert "/metrics answers 401 until METRICS_TOKEN or METRICS_PASSWORD is set" in caplog.text


async def test_without_prometheus_client_the_reader_is_told_what_to_install(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delitem(sys.modules, "bullworks.health.exposition", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    told = "/metrics needs prometheus-client, which is not installed: pip install 'bullworks[metrics]'"
    with caplog.at_level("INFO", "bullworks.health"):
        async with serving(EmailWorker, queues=("email",)) as app:
            assert (await get(app, "/health/live")).status_code == 200
            answer = await get(app, "/metrics", **BEARER)
    assert (answer.status_code, answer.text) == (501, told + "\n")
    assert told in caplog.messages
