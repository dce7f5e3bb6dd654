"""A rollout as the manifests have it: their command, settings, probes and grace, as a user who may write nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bullworks.bullmq import Queue
from bullworks.redis import PipelinedConnection
from bullworks.redis.embedded.process import free_port
from tests.bullworks.deploy.manifests import Pod, objects
from tests.bullworks.orphans import end_with_tests
from tests.bullworks.waiting import eventually

SERVICE = Path(__file__).parent / "service"
POD = Pod.of("worker.yaml")
# A quarter of the manifest's own, so that a rehearsal is short: the rest of its grace is kept.
GRACE_MS = 1_500

pytestmark = [pytest.mark.process, pytest.mark.timeout(120)]


def interpreter() -> tuple[str, dict[str, str], dict[str, object]]:
    """A Python that the manifest's user can run: program, environment, options of Popen."""
    if os.geteuid() != 0:
        return sys.executable, {}, {}
    user = {"user": POD.user, "group": POD.user, "extra_groups": []}
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    # What lies in root's own folder, as pyenv's, nobody else can run.
    for program in (sys.executable, "/usr/bin/python3"):
        with suppress(PermissionError, OSError):
            asked = "import sys, redis; print(*sys.version_info[:2])"
            environment = {"PYTHONPATH": packages}
            answer = subprocess.run(
                [program, "-c", asked], capture_output=True, text=True, check=False, env=environment, **user
            )  # type: ignore[call-overload]
            if answer.stdout.split() == [str(part) for part in sys.version_info[:2]]:
                return program, environment, user
    return sys.executable, {}, {}


class Process:
    """One pod's process."""

    def __init__(self, url: str, prefix: str, version: int) -> None:
        program, environment, user = interpreter()
        self.port = free_port()
        self.process = subprocess.Popen(
            [program, *POD.command[1:]],
            cwd=SERVICE,
            env={
                **environment,
                **POD.environment,
                "PYTHONDONTWRITEBYTECODE": "1",
                "QUEUE_REDIS_URL": url,
                "QUEUE_PREFIX": prefix,
                "HTTP_HOST": "127.0.0.1",
                "HTTP_PORT": str(self.port),
                "SHUTDOWN_GRACE_MS": str(GRACE_MS),
                "VERSION": str(version),
            },
            stderr=subprocess.PIPE,
            text=True,
            **user,  # type: ignore[arg-type]
        )
        end_with_tests(self.process)

    async def answers(self, kind: str) -> int | None:
        """What a probe gets; None means nobody listens."""
        async with httpx.AsyncClient() as client:
            with suppress(httpx.TransportError):
                return (await client.get(f"http://127.0.0.1:{self.port}{POD.probes[kind]}", timeout=3)).status_code
        return None

    async def is_up(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()[1]
        return await self.answers("startup") == 200

    def end(self) -> tuple[int, str]:
        """As the kubelet does, after SIGTERM: wait, then SIGKILL."""
        try:
            _, log = self.process.communicate(timeout=POD.grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, log = self.process.communicate()
        return self.process.returncode, log


Start = Callable[[int], Awaitable[Process]]


@pytest.fixture
def start(redis_url: str, key_prefix: str) -> Iterator[Start]:
    processes: list[Process] = []

    async def run(version: int) -> Process:
        process = Process(redis_url, key_prefix, version)
        processes.append(process)
        await eventually(process.is_up, within_s=60)
        return process

    yield run
    for each in processes:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


async def test_a_rollout_loses_nothing_and_spends_no_attempt(start: Start, redis_url: str, key_prefix: str) -> None:
    assert POD.command == ["python", "main.py", "worker"]
    assert POD.grace_s * 1000 > int(POD.environment["SHUTDOWN_GRACE_MS"]) + 3_000, "the watchdog comes after the grace"
    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        jobs = [await queue.add("order", {"number": number}, priority=number % 2) for number in range(60)]
        jobs += [await queue.add("order", {"number": 60, "work_s": 0})]  # does not end within the grace
        jobs += [await queue.add("order", {"$version": 2, "number": n, "label": "new"}) for n in (61, 62)]
        assert await scaled_by(queue.connection, key_prefix) == len(jobs)
        old = await start(1)
        await eventually(queue.get_completed_count)
        assert 0 < await scaled_by(queue.connection, key_prefix) < len(jobs)

        new = await start(2)  # maxSurge 1, maxUnavailable 0
        old.process.terminate()
        await eventually(lambda: unready(old), within_s=10)
        assert await new.answers("readiness") == await new.answers("liveness") == 200
        code, log = old.end()
        assert code == 0, log

        async def are_all_done() -> bool:
            return await queue.get_completed_count() == len(jobs)

        await eventually(are_all_done, within_s=30)
        ended = [await queue.get_job(job.id) for job in jobs]
    assert {(job.attempts_made, job.stalled_counter, job.failed_reason) for job in ended if job} == {(1, 0, None)}
    by_number = {job.data["number"]: job.returnvalue for job in ended if job}
    assert {by_number[60], by_number[61], by_number[62]} == {"2"}, "handed back, or put back for who knows its version"


async def unready(process: Process) -> bool:
    return await process.answers("readiness") in {503, None}


async def scaled_by(connection: PipelinedConnection, prefix: str) -> int:
    """The ScaledObject's formula, on the keys that its triggers name, counted as KEDA counts them: by type."""
    spec = objects("scaling.yaml")[1]["spec"]
    counts = {}
    for trigger in spec["triggers"]:
        key = trigger["metadata"]["listName"].replace("bull:", f"{prefix}:", 1)
        kind = await connection.execute("TYPE", key)
        command = {"list": "LLEN", "zset": "ZCARD", "none": "EXISTS"}[kind if isinstance(kind, str) else kind.decode()]
        counts[trigger["name"]] = await connection.execute(command, key)
    formula = spec["advanced"]["scalingModifiers"]["formula"]
    assert set(formula.split(" + ")) == set(counts)
    return sum(counts.values())
