"""The fixtures work for whoever names the plugin, with pytest-asyncio in either mode."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

CONFTEST = 'pytest_plugins = ["bullworks.testing.pytest_plugin"]\n'

TESTS = """
import pytest

from bullworks.bullmq import Queue, Worker
from bullworks.testing import Test, eventually

pytestmark = {mark}
seen = []


async def test_a_job_runs_on_the_real_server(bull_queue, bull_redis, bull_prefix):
    job = await bull_queue.add("x", 1)
    async with Worker("test", lambda job: "done", connection=bull_redis.url, prefix=bull_prefix):
        assert await job.wait_until_finished(ttl=10_000) == "done"
    seen.append((bull_prefix, bull_redis.endpoint))
    assert "password" not in repr(bull_redis) and bull_redis.url not in repr(bull_redis)


async def test_queues_of_one_test_share_its_prefix(bull_queues, bull_prefix):
    one, two = bull_queues("one"), bull_queues("two")
    await one.add("x")
    await two.add("y")
    assert {{one.keys.prefix, two.keys.prefix}} == {{bull_prefix}}
    seen.append((bull_prefix, one.connection.endpoint))


async def test_what_tests_left_is_gone_and_they_had_one_server(bull_redis):
    prefixes = [prefix for prefix, _ in seen]
    assert len(set(prefixes)) == 2
    assert {{endpoint for _, endpoint in seen}} == {{bull_redis.endpoint}}
    async with bull_redis.client() as client:
        assert [key async for key in client.scan_iter(match="test-*")] == []


async def test_a_harness_comes_from_a_factory(queue_harness):
    async def handle(job):
        return job.data

    harness = queue_harness("email", handle, now_ms=5, concurrency=2)
    job = await harness.add("x", "data")
    await harness.drain()
    assert (await harness.queue.get_job(job.id)).returnvalue == "data"
    waiting = await harness.add("later")
    assert await eventually(waiting.is_waiting)


def test_a_sync_test_may_ask_for_the_server(bull_redis):
    with bull_redis.endpoint.sync_client() as client:
        assert client.ping()
"""


@pytest.mark.process
@pytest.mark.timeout(90)
@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_the_fixtures_work_in_either_mode(tmp_path: Path, mode: str) -> None:
    mark = "[]" if mode == "auto" else "[pytest.mark.asyncio]"
    text = TESTS.format(mark=mark)
    if mode == "strict":  # there the mark is for coroutines only
        text = text.replace("pytestmark = [pytest.mark.asyncio]\n", "").replace(
            "\nasync def test", "\n@pytest.mark.asyncio\nasync def test"
        )
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(text)
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "5 passed" in ran.stdout


async def test_waiting_with_a_deadline_ends_with_what_was_seen_last() -> None:
    from bullworks.testing import eventually

    answers = iter([0, None, "there"])
    assert await eventually(lambda: next(answers)) == "there"
    with pytest.raises(AssertionError, match=r"not within 0\.02 s: the moon to be cheese; last seen: 0"):
        await eventually(lambda: 0, within_s=0.02, what="the moon to be cheese")
