"""WORKERS_ENABLED, ENABLED_WORKERS, and where settings come from."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import Job
from bullworks.core import create_application, module, provide
from bullworks.redis.endpoint import Endpoint
from bullworks.settings import SettingsError, SettingsSource
from bullworks.workers import BullModule, BullOptions, NoWorkerError, WorkerHost, processor
from bullworks.workers.options import RootOptions, WorkersSetup, complete, complete_from
from bullworks.workers.selection import Selection
from bullworks.workers.tokens import ENDPOINT, SETUP
from tests.bullworks.workers.conftest import queue_of
from tests.bullworks.workers.test_processing import Sender, finished

pytestmark = pytest.mark.process


@processor("email")
class EmailWorker(WorkerHost):
    async def process(self, job: Job) -> str:
        return "ok"


@processor("sms", worker_name="texts")
class SmsWorker(WorkerHost):
    async def process(self, job: Job) -> str:
        return "ok"


QUEUES = ("email", "sms")


def is_running(app: Any, host: type[WorkerHost]) -> bool:
    try:
        return bool(app.get(host).worker.is_running)
    except NoWorkerError:
        return False


async def test_only_selected_workers_run_and_every_queue_can_be_used(run: Any) -> None:
    async with run(EmailWorker, SmsWorker, Sender, queues=QUEUES, enabled_workers="texts") as app:
        assert (is_running(app, EmailWorker), is_running(app, SmsWorker)) == (False, True)
        job = await app.get(Sender).email_queue.add("x")
        assert await job.get_state() == "waiting"


async def test_with_workers_disabled_none_runs_and_queues_can_be_used(run: Any) -> None:
    async with run(EmailWorker, SmsWorker, queues=QUEUES, workers_enabled=False) as app:
        assert not is_running(app, EmailWorker)
        assert not is_running(app, SmsWorker)
        assert (await queue_of(app).add("x")).id == "1"


async def test_settings_say_what_code_does_not(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    monkeypatch.setenv("ENABLED_WORKERS", "email")
    root = BullModule.for_root(queues=QUEUES, providers=[EmailWorker, SmsWorker])
    async with create_application(root) as app:
        assert (is_running(app, EmailWorker), is_running(app, SmsWorker)) == (True, False)
        assert queue_of(app).keys.prefix == key_prefix


async def test_settings_are_read_when_the_application_is_built_not_when_it_is_put_together(
    redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", "not a url")
    root = BullModule.for_root(queues=("email",))
    with pytest.raises(SettingsError):
        await create_application(root)
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    async with create_application(root) as app:
        assert (await queue_of(app).add("x")).id == "1"


def test_with_a_connection_nothing_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKERS_ENABLED", "QUEUE_PREFIX", "QUEUE_REDIS_URL"):
        monkeypatch.setenv(name, "  ")
    setup = complete(RootOptions(connection="redis://127.0.0.1:6379/0"))
    assert setup == WorkersSetup(server=Endpoint.of("redis://127.0.0.1:6379/0"))
    assert (setup.prefix, setup.shutdown_grace_ms, setup.selection) == ("bull", 10_000, Selection())


def test_options_in_code_go_before_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", "redis://127.0.0.1:6379/0")
    monkeypatch.setenv("WORKERS_ENABLED", "true")
    monkeypatch.setenv("ENABLED_WORKERS", "ticker,candles")
    monkeypatch.setenv("SHUTDOWN_GRACE_MS", "5000")
    given = complete_from(RootOptions(workers_enabled=False, prefix="own"), SettingsSource())
    assert given.selection == Selection(is_enabled=False, names=frozenset({"ticker", "candles"}))
    assert (given.prefix, given.shutdown_grace_ms) == ("own", 5_000)


async def test_with_no_url_the_embedded_server_is_used_and_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", "")
    monkeypatch.setenv("APP_ENV", "test")
    monkeypatch.setenv("QUEUE_DATA_DIR", str(tmp_path / "data"))
    root = BullModule.for_root(queues=("email",), providers=[EmailWorker])
    async with create_application(root) as app:
        assert (await finished(await queue_of(app).add("x"))).returnvalue == "ok"
        endpoint = app.get(ENDPOINT)
    assert (tmp_path / "data").is_dir()
    assert await asyncio.wait_for(_gone(endpoint), 15)


async def _gone(endpoint: Endpoint) -> bool:
    while True:
        try:
            connection = await endpoint.open()
        except Exception:
            return True
        await connection.disconnect()
        await asyncio.sleep(0.1)


async def test_for_root_async_takes_its_options_from_a_function(redis_url: str, key_prefix: str) -> None:
    class Config:
        url = redis_url

    async def options(config: Config) -> BullOptions:
        await asyncio.sleep(0)
        return BullOptions(connection=config.url, prefix=key_prefix, enabled_workers=["email"])

    @module(providers=[Config], exports=[Config])
    class ConfigModule: ...

    root = BullModule.for_root_async(
        use_factory=options,
        inject=[Config],
        imports=[ConfigModule],
        queues=QUEUES,
        providers=[EmailWorker, SmsWorker],
    )
    async with create_application(root) as app:
        assert (is_running(app, EmailWorker), is_running(app, SmsWorker)) == (True, False)
        assert (await finished(await queue_of(app).add("x"))).returnvalue == "ok"


@pytest.mark.parametrize(
    ("names", "selected"),
    [("all", {"a", "b"}), (("all",), {"a", "b"}), ("a, c", {"a"}), (["b"], {"b"}), ("", set())],
)
def test_a_selection_is_all_or_names(names: Any, selected: set[str]) -> None:
    assert {name for name in ("a", "b") if Selection.of(True, names).is_selected(name)} == selected
    assert not Selection.of(False, names).is_selected("a")


def test_the_setup_can_be_replaced_in_a_test() -> None:
    own = WorkersSetup(server=Endpoint.of("redis://127.0.0.1:6379/0"), prefix="own")
    root = BullModule.for_root()
    root.workers_setup.override(own)
    assert root.get(SETUP) is own
    assert provide(SETUP, use_value=own).token is SETUP
