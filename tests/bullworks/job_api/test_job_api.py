"""Jobs over HTTP: what may be added, who may look at it, and how it is followed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from starlette.applications import Starlette

from bullworks.bullmq import InvalidOptionError, Job, Queue
from bullworks.core import Application, UnknownProviderError, create_application, module
from bullworks.fastapi import Lifespan
from bullworks.job_api import AllowedJob, JobApi, JobApiModule, JobTokens, NoSecretError, SameJobError
from bullworks.job_api.queue_feed import QueueFeed
from bullworks.settings import SettingsError, SettingsSource
from bullworks.web import basic_auth
from bullworks.workers import BullModule, WorkerHost, get_queue_token, processor
from tests.bullworks.waiting import eventually

SECRET = "s" * 32
ADA = ("ada", "secret")


class Mail(BaseModel):
    to: str
    copies: int = 1


ALLOWED = (
    AllowedJob("email", "welcome", Mail, options={"priority": 3}, shows_result=True),
    AllowedJob("email", "digest", Mail),
)


@dataclass
class Served:
    """A running application with a job API, and a client of it."""

    http: httpx.AsyncClient
    application: Application
    app: Starlette

    @property
    def queue(self) -> Queue:
        return self.application.get(get_queue_token("email"))

    @property
    def feed(self) -> QueueFeed:
        return self.application.get(JobApi).streams.feeds["email"]

    async def add(self, name: str = "welcome", data: Any = None, **options: Any) -> httpx.Response:
        wanted = {"queue": "email", "name": name, "data": {"to": "ada"} if data is None else data}
        return await self.http.post("/jobs", json=wanted, **{"auth": ADA, **options})


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve(redis_url: str, key_prefix: str) -> Serve:
    @asynccontextmanager
    async def run(*workers: type[Any], **options: Any) -> AsyncIterator[Served]:
        given = {"auth": basic_auth(dict([ADA])), "secret": SECRET, **options}

        @module(
            imports=[
                BullModule.for_root(connection=redis_url, prefix=key_prefix),
                BullModule.register_queue("email"),
                JobApiModule.for_root(ALLOWED, **given),
            ],
            providers=workers,
        )
        class Mailing:
            """A queue, and the API of its jobs."""

        lifespan = Lifespan(Mailing)
        app = Starlette(lifespan=lifespan)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
        async with app.router.lifespan_context(app), http:
            yield Served(http, lifespan.application, app)

    return run


class Listener:
    """A browser's EventSource on a job: httpx would wait for the end of the answer."""

    def __init__(self, served: Served, url: str, last_event_id: str | None = None) -> None:
        self.events: list[tuple[str, Any]] = []
        self.last_id = last_event_id
        self.status = 0
        path, _, query = url.partition("?")
        headers = [(b"host", b"localhost")]
        if last_event_id is not None:
            headers.append((b"last-event-id", last_event_id.encode()))
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": headers, "client": ("10.0.0.7", 1), "server": ("localhost", 80), "scheme": "http",
            "root_path": "", "http_version": "1.1",
        }  # fmt: skip
        self._gone = asyncio.Event()
        self._running = asyncio.create_task(served.app(scope, self._receive, self._send))

    async def until(self, *wanted: tuple[str, Any]) -> None:
        await eventually(lambda: self.events[-len(wanted) :] == list(wanted), what=f"{wanted} in {self.events}")

    async def ended(self) -> None:
        await asyncio.wait_for(self._running, 10)

    async def leave(self) -> None:
        self._gone.set()
        await self.ended()

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        for line in message.get("body", b"").decode().split("\n"):
            field, _, value = line.partition(": ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                self.events.append((value, None))
            elif field == "data" and self.events:
                self.events[-1] = (self.events[-1][0], json.loads(value))


def state(name: str, **ending: Any) -> tuple[str, Any]:
    return "state", {"state": name, **ending}


async def test_an_allowed_job_is_added_with_the_service_s_options_and_shown_to_who_has_its_token(serve: Serve) -> None:
    async with serve() as served:
        added = await served.add()
        job = await served.queue.get_job(added.json()["id"].removeprefix("email:"))
        assert job is not None
        assert (job.name, job.data, job.opts.priority) == ("welcome", {"to": "ada", "copies": 1}, 3)
        assert (added.status_code, added.headers["Location"]) == (202, f"/jobs/email:{job.id}")
        params = {"token": added.json()["token"]}
        shown = await served.http.get(added.json()["url"], params=params)
        assert shown.json() == {
            "id": f"email:{job.id}", "name": "welcome", "state": "waiting", "progress": None, "result": None,
            "failed_reason": None,
        }  # fmt: skip
        bearer = {"Authorization": f"Bearer {params['token']}"}
        assert (await served.http.get(added.json()["url"], headers=bearer)).status_code == 200
        other = (await served.add("digest")).json()
        assert (await served.http.get(other["url"], params=params)).status_code == 401
        assert "result" not in (await served.http.get(other["url"], auth=ADA)).json()
        await served.queue.add("secret", {})
        assert (await served.http.get("/jobs/email:3", auth=ADA)).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "options", "status", "reason"),
    [
        ({"queue": "email", "name": "refund", "data": {}}, {}, 404, "no job of this queue and name"),
        ({"queue": "other", "name": "welcome", "data": {}}, {}, 404, "no job of this queue and name"),
        ({"queue": ["email"], "name": "welcome"}, {}, 404, "no job of this queue and name"),
        ({"queue": "email", "name": "welcome", "data": {"to": 7}}, {}, 422, "$.to"),
        ({"queue": "email", "name": "welcome"}, {}, 422, "does not fit Mail"),
        ({"queue": "email", "name": "welcome", "data": {}, "opts": {"delay": 1}}, {}, 400, '"queue": ...'),
        ([1], {}, 400, '"queue": ...'),
        ({"queue": "email", "name": "welcome", "data": {"to": "x" * 2_000}}, {}, 413, "larger than 1000 bytes"),
        ({}, {"auth": ("ada", "wrong")}, 401, "authentication required"),
        ({}, {"headers": {"Content-Type": "text/plain"}}, 415, "send JSON"),
    ],
)
async def test_nothing_else_is_added(serve: Serve, wanted: Any, options: Any, status: int, reason: str) -> None:
    async with serve(most_bytes=1_000) as served:
        headers = {"Content-Type": "application/json"}
        given = {"auth": ADA, "headers": headers, **options}
        refused = await served.http.post("/jobs", content=json.dumps(wanted), **given)
        assert (refused.status_code, await served.queue.get_waiting_count()) == (status, 0)
        assert reason in refused.json()["error"]


async def test_without_auth_callers_on_this_machine_only_add_jobs(serve: Serve) -> None:
    async with serve(auth=None) as served:
        assert (await served.add(auth=None)).status_code == 202
        assert (await served.add(auth=None, headers={"Host": "shop.example.com"})).status_code == 403


def test_a_token_is_of_one_job_for_a_while() -> None:
    tokens = JobTokens(SECRET, 1_000)
    token = tokens.issue("email", "1", 5_000)
    assert tokens.admits(token, "email", "1", 5_999)
    ends, _, signature = token.partition(".")
    for forged in (
        "",
        ".",
        f"{ends}.",
        f"9{ends}.{signature}",
        f"{'9' * 40}.{signature}",
        f"{ends}.{signature}x",
        "é.é",
    ):
        assert not tokens.admits(forged, "email", "1", 5_000)
    assert not tokens.admits(token, "email", "1", 6_000)
    assert not tokens.admits(token, "email", "11", 5_000)
    assert not tokens.admits(token, "email1", "", 5_000)
    assert not JobTokens("t" * 32, 1_000).admits(token, "email", "1", 5_000)


async def test_a_job_is_followed_to_its_end_and_a_client_that_comes_back_misses_nothing(serve: Serve) -> None:
    steps: asyncio.Queue[float] = asyncio.Queue()

    @processor("email")
    class EmailWorker(WorkerHost):
        async def process(self, job: Job) -> str:
            while (step := await steps.get()) < 100:
                await job.update_progress(step)
            return "sent"

    async with serve(EmailWorker) as served:
        added = (await served.add()).json()
        first = Listener(served, added["events"])
        await first.until(state("active"))
        steps.put_nowait(10)
        await first.until(("progress", 10))
        await first.leave()
        steps.put_nowait(20)
        steps.put_nowait(30)
        again = Listener(served, added["events"], first.last_id)
        await again.until(("progress", 20), ("progress", 30))
        steps.put_nowait(100)
        await again.until(("progress", 30), state("completed", result="sent"))
        await again.ended()
        assert again.events[:2] == [("progress", 20), ("progress", 30)]  # in order, and each once
        late = Listener(served, added["events"])
        await late.ended()
        assert late.events == [("progress", 30), state("completed", result="sent")]
        done = Listener(served, added["events"], again.last_id)
        await done.ended()
        assert (done.status, done.events) == (204, [])  # a browser comes back no more
        unknown = Listener(served, added["events"], "17-0")
        await unknown.ended()
        assert unknown.events == late.events


async def test_all_listeners_share_one_read_and_the_last_one_ends_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bullworks.job_api.queue_feed.LINGER_S", 0.05)
    async with serve() as served:
        added = [(await served.add()).json()["events"] for _ in range(20)]
        listeners = [Listener(served, events) for events in added for _ in range(5)]
        for listener in listeners:
            await listener.until(state("waiting"))

        async def readers() -> int:
            clients = await served.queue.connection.execute("CLIENT", "LIST")
            return sum(served.queue.keys.events_client_name() in line for line in clients.decode().splitlines())

        assert (await readers(), served.feed.topics) == (1, 20)
        await served.queue.obliterate(force=True)
        for listener in listeners:
            await listener.leave()
        await eventually(lambda: served.feed.topics == 0)

        async def is_over() -> bool:
            return await readers() == 0

        await eventually(is_over)


async def test_what_no_event_tells_is_read_again(serve: Serve) -> None:
    """`cleaned` does not say which jobs, and events may be trimmed away unseen."""
    async with serve() as served:
        added = (await served.add("digest")).json()
        listener = Listener(served, added["events"])
        await listener.until(state("waiting"))
        await served.queue.clean(0, "prioritized")
        await served.queue.clean(0, "waiting")
        await listener.until(state("removed"))
        await listener.ended()


async def test_there_are_only_so_many_streams_and_none_of_jobs_that_are_not_there(serve: Serve) -> None:
    async with serve(most_streams=1) as served:
        added = (await served.add()).json()
        token = served.application.get(JobApi).token("email", "404")
        missing = Listener(served, f"/jobs/email:404/events?token={token}")
        await missing.ended()
        assert (missing.status, served.feed.topics) == (404, 0)
        first = Listener(served, added["events"])
        await first.until(state("waiting"))
        second = Listener(served, added["events"])
        await second.ended()
        assert second.status == 503
        await first.leave()
        third = Listener(served, added["events"])
        await third.until(state("waiting"))
    await third.ended()  # the end of the application ends it


async def test_mistakes_end_the_start(serve: Serve) -> None:
    with pytest.raises(NoSecretError, match="32 random characters"):
        async with serve(secret="short"):
            pass
    with pytest.raises(InvalidOptionError, match="most_bytes"):
        async with serve(most_bytes=0):
            pass
    with pytest.raises(SameJobError, match="'welcome' of the queue 'email' is allowed twice"):
        await create_application(JobApiModule.for_root([*ALLOWED, ALLOWED[0]], secret=SECRET))
    with pytest.raises(UnknownProviderError, match="email"):
        await create_application(JobApiModule.for_root(ALLOWED, secret=SECRET))
    with pytest.raises(SettingsError, match=r"JOB_TOKEN_SECRET \(value not shown\).*32 random characters"):
        await create_application(JobApiModule.for_root(ALLOWED), settings=SettingsSource({"JOB_TOKEN_SECRET": "x"}))
