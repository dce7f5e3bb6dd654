"""The job API under many listeners, and what providers cost an endpoint of FastAPI: `python -m benchmarks.web`.

One process serves; another opens the streams over real sockets, as browsers do, and comes back with Last-Event-ID as
they do. Between 1 and N listeners, the commands of Redis a second and the server's memory are compared.
"""

import argparse
import asyncio
import json
import platform
import socket
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import redis.asyncio
import uvicorn
from fastapi import Depends, FastAPI

from benchmarks.redis_process import RedisProcess
from bullworks.bullmq import Queue
from bullworks.core import Scope, injectable, module
from bullworks.fastapi import Lifespan, Provided
from bullworks.job_api import AllowedJob, JobApi, JobApiModule, JobTokens
from bullworks.testing import eventually
from bullworks.web import anyone
from bullworks.workers import BullModule

_QUEUE = "bench-web"
_SECRET = "s" * 32
_WINDOW_S = 25.0  # longer than a stream lasts, so that every listener comes back once
_UPDATES_A_S = 100
_REQUESTS = 2_000
_ROUNDS = 5


class Users:
    """A singleton."""


@injectable(scope=Scope.REQUEST)
class Session:
    """One a request."""


def service(url: str) -> FastAPI:
    """The measured app."""

    @module(
        imports=[
            BullModule.for_root(connection=url),
            BullModule.register_queue(_QUEUE),
            JobApiModule.for_root([AllowedJob(_QUEUE, "job", Any)], auth=anyone, secret=_SECRET, most_streams=20_000),
        ],
        providers=[Users, Session],
    )
    class Service:
        """A queue and its job API."""

    app = FastAPI(lifespan=Lifespan(Service))

    @app.get("/plain")
    async def plain() -> str:
        return "ok"

    @app.get("/depends")
    async def depends(users: Annotated[Users, Depends(Users)]) -> str:
        return "ok" if users else ""

    @app.get("/singleton")
    async def singleton(users: Annotated[Users, Provided(Users)]) -> str:
        return "ok" if users else ""

    @app.get("/three")
    async def three(
        users: Annotated[Users, Provided(Users)],
        session: Annotated[Session, Provided(Session)],
        api: Annotated[JobApi, Provided(JobApi)],
    ) -> str:
        return "ok" if users and session and api else ""

    return app


async def overhead(url: str) -> None:
    """Print us a request without a socket, in turns, as medians of a few rounds."""
    app = service(url)
    paths = ("/plain", "/depends", "/singleton", "/three")
    found: dict[str, list[float]] = {path: [] for path in paths}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        for _ in range(_ROUNDS):
            for path in paths:
                begun_s = time.process_time()
                for _ in range(_REQUESTS):
                    await http.get(path)
                found[path].append((time.process_time() - begun_s) / _REQUESTS * 1e6)
    base = statistics.median(found["/plain"])
    for path in paths:
        us = statistics.median(found[path])
        print(f"{path:10} {us:7.0f} us of CPU a request, {us - base:+6.0f} us")


class Listeners:
    """Browsers that follow one job each."""

    def __init__(self, port: int, paths: list[str]) -> None:
        self.events = 0
        self.returns = 0
        self.open = 0
        self._port = port
        self._tasks = [asyncio.create_task(self._follow(path)) for path in paths]

    async def all_open(self) -> None:
        await eventually(lambda: self.open >= len(self._tasks), within_s=60)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, path: str) -> None:
        last_id = b""
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            known = b"Last-Event-ID: " + last_id + b"\r\n" if last_id else b""
            writer.write(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + known + b"\r\n")
            is_new = True
            async for line in reader:
                if is_new and line.startswith(b"retry:"):
                    is_new, self.open = False, self.open + 1
                if line.startswith(b"id: "):
                    last_id, self.events = line[4:].strip(), self.events + 1
                if line == b"0\r\n":
                    break
            writer.close()
            self.open -= 1
            self.returns += 1
            await asyncio.sleep(0.5)


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[tuple[int, int]]:
    """The service in a process of its own: port and pid."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.web", "--serve", url, "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()


async def listeners(url: str, most: int) -> None:
    """Print what 1 and `most` listeners cost."""
    async with serving(url) as (port, pid), Queue(_QUEUE, connection=url) as queue, redis.asyncio.from_url(url) as info:
        jobs = [await queue.add("job", {}) for _ in range(most)]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            await http.get("/plain")
        tokens = JobTokens(_SECRET, 3_600_000)
        paths = [f"/jobs/{_QUEUE}:{job.id}/events?token={tokens.issue(_QUEUE, job.id, now_ms())}" for job in jobs]
        for count in (1, most):
            before_kb = rss_kb(pid)
            browsers = Listeners(port, paths[:count])
            await browsers.all_open()
            for updates in (0, _UPDATES_A_S):
                spent_s, commands, events = cpu_s(pid), await total(info), browsers.events
                begun_s = time.monotonic()
                sent = 0
                while time.monotonic() - begun_s < _WINDOW_S:
                    if updates:
                        await jobs[sent % count].update_progress(sent)
                        sent += 1
                    await asyncio.sleep(1 / updates if updates else 0.5)
                took_s = time.monotonic() - begun_s
                # of every update one call of a script, with what it calls; INFO asks once more
                print(
                    f"{count:5} listeners, {sent / took_s:4.0f} updates/s: Redis "
                    f"{(await total(info) - commands - 1) / took_s:7.1f} commands/s, server CPU "
                    f"{(cpu_s(pid) - spent_s) / took_s:5.1%}, events {browsers.events - events}, "
                    f"came back {browsers.returns}, RSS {rss_kb(pid) / 1024:.0f} MB (before {before_kb / 1024:.0f})"
                )
            await browsers.close()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def total(info: Any) -> int:
    """Commands that clients sent so far; those of scripts are not among them."""
    stats = await info.info("commandstats")
    return sum(int(each["calls"]) for name, each in stats.items() if name in _SENT)


_SENT = {"cmdstat_xread", "cmdstat_evalsha", "cmdstat_eval"}
"""By clients: reads of events, and scripts as a whole, an update of the progress among them."""


def rss_kb(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def serve(url: str, port: int) -> None:
    server = uvicorn.Server(uvicorn.Config(service(url), host="127.0.0.1", port=port, log_level="warning", ws="none"))

    async def tell() -> None:
        await eventually(lambda: server.started)
        print(json.dumps({"port": port}), flush=True)

    telling = asyncio.create_task(tell())
    await server.serve()
    await telling


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=1_000)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve, given.port))
        return
    print(f"Python {platform.python_version()}, {platform.machine()}")
    with RedisProcess() as server:
        asyncio.run(overhead(server.url))
        asyncio.run(listeners(server.url, given.listeners))


if __name__ == "__main__":
    main()
