"""JobApi: adds allowed jobs for callers over HTTP, and shows how they fare."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bullworks.bullmq import GroupFullError, InvalidPayloadError, PayloadAheadError, Queue
from bullworks.bullmq.wire import payload
from bullworks.core import Inject, ModuleRef, Shutdown
from bullworks.job_api.allowed_job import AllowedJob
from bullworks.job_api.errors import RequestRefusedError
from bullworks.job_api.job_streams import JobStreams
from bullworks.job_api.job_tokens import JobTokens
from bullworks.job_api.options import JOB_API_SETUP, JobApiSetup
from bullworks.job_api.snapshot import read_snapshot
from bullworks.redis import RedisError
from bullworks.web import WebRoutes
from bullworks.web.auth import challenge_headers, identify, is_this_machine
from bullworks.web.credentials import bearer_token
from bullworks.web.event_stream import head_only
from bullworks.workers import get_queue_token

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
_KEYS = frozenset({"queue", "name", "data"})
_NO_JOB = "there is no such job"


class JobApi:
    """The three routes of the job API.

    A job's public id is `queue:id`, as in `email:42`. The answer to POST holds a token, with which whoever has it may
    look at that job and at no other, for a while: it is for `?token=`, as browsers cannot send headers with an
    EventSource, or for `Authorization: Bearer`.

    Attributes:
        tokens: issues them for jobs that the service adds by itself.
        streams: the open event streams of this process.
    """

    def __init__(
        self, setup: Annotated[JobApiSetup, Inject(JOB_API_SETUP)], modules: ModuleRef, shutdown: Shutdown
    ) -> None:
        self.tokens = JobTokens(setup.secret, setup.token_ttl_ms)
        self._setup = setup
        self._modules = modules
        self._shutdown = shutdown
        self._jobs = {(job.queue, job.name): job for job in setup.jobs}
        self._queues: dict[str, Queue[Any]] = {}
        self.streams = JobStreams((), {}, most=0, stopping=lambda: shutdown.requested)

    def routes(self) -> WebRoutes:
        """Build the API's routes, for the web server, or to include them in an app of one's own."""
        path = self._setup.path
        return WebRoutes(
            (
                Route(f"{path}/{{id}}/events", _answering(self._follow)),
                Route(f"{path}/{{id}}", _answering(self._show)),
                Route(path or "/", _answering(self._add), methods=["POST"]),
            )
        )

    def on_module_init(self) -> None:
        """Look up the queues of the allowed jobs.

        Raises:
            UnknownProviderError: no module registers one of them.
        """
        self._queues = {queue: self._modules.get(get_queue_token(queue)) for queue, _ in self._jobs}
        self.streams = JobStreams(
            self._jobs.values(),
            self._queues,
            most=self._setup.most_streams,
            stopping=lambda: self._shutdown.requested,
        )

    async def on_application_disconnect(self) -> None:
        """Stop reading events."""
        await self.streams.close()

    def token(self, queue: str, job_id: str) -> str:
        """A token for a job, to look at it and at no other."""
        return self.tokens.issue(queue, job_id, _now_ms())

    async def _add(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            # a form of another site can send any text, but not as JSON: for that the browser asks us first
            raise RequestRefusedError(415, "send JSON, with Content-Type: application/json")
        await self._check_caller(request)
        wanted = await self._read_body(request)
        queue, name = wanted.get("queue"), wanted.get("name")
        job = self._jobs.get((queue, name)) if isinstance(queue, str) and isinstance(name, str) else None
        if job is None:
            raise RequestRefusedError(404, "no job of this queue and name may be added here")
        try:
            added = await self._queues[job.queue].add(job.name, job.plain(wanted.get("data")), **job.options)
        except (InvalidPayloadError, PayloadAheadError) as error:
            raise RequestRefusedError(422, str(error)) from error
        except GroupFullError as error:
            raise RequestRefusedError(429, "too many jobs are waiting") from error
        here = request.url.path.rstrip("/")
        public_id, token = f"{job.queue}:{added.id}", self.token(job.queue, added.id)
        location = f"{here}/{public_id}"
        content = {"id": public_id, "token": token, "url": location, "events": f"{location}/events?token={token}"}
        return JSONResponse(content, 202, {**_HEADERS, "Location": location})

    async def _show(self, request: Request) -> Response:
        queue, job_id = await self._wanted(request)
        snapshot = await read_snapshot(self._queues[queue], job_id)
        job = None if snapshot.name is None else self._jobs.get((queue, snapshot.name))
        if job is None:
            raise RequestRefusedError(404, _NO_JOB)
        content = {
            "id": f"{queue}:{job_id}",
            "name": snapshot.name,
            "state": snapshot.state,
            "progress": snapshot.progress,
        }
        if job.shows_result:
            content |= {"result": snapshot.result, "failed_reason": snapshot.failed_reason}
        return JSONResponse(content, headers=_HEADERS)

    async def _follow(self, request: Request) -> ASGIApp:
        queue, job_id = await self._wanted(request)
        if request.method == "HEAD":
            return head_only()
        names = [job.name for job in self._of_queue(queue)]
        return await self.streams.stream(queue, job_id, names, request.headers.get("last-event-id"))

    def _of_queue(self, queue: str) -> list[AllowedJob]:
        return [job for job in self._jobs.values() if job.queue == queue]

    async def _wanted(self, request: Request) -> tuple[str, str]:
        """The queue and the id of the job that a request is about, and may be about.

        Raises:
            RequestRefusedError: 401 or 403, the caller may not look at it; 404, no job has such an id.
        """
        queue, _, job_id = request.path_params["id"].partition(":")
        token = request.query_params.get("token") or bearer_token(request)
        if token is None or not self.tokens.admits(token, queue, job_id, _now_ms()):
            await self._check_caller(request)
        if queue not in self._queues or not job_id:
            raise RequestRefusedError(404, _NO_JOB)
        return queue, job_id

    async def _check_caller(self, request: Request) -> None:
        auth = self._setup.auth
        if auth is None:
            if not is_this_machine(request):
                reason = "without auth= jobs are for callers on this machine only, who ask for localhost"
                raise RequestRefusedError(403, reason)
            return
        who = await identify(auth, request)
        if isinstance(who, Response) or who is None:
            raise RequestRefusedError(401, "authentication required", challenge_headers(auth))

    async def _read_body(self, request: Request) -> dict[str, Any]:
        most, body = self._setup.most_bytes, bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise RequestRefusedError(413, f"the body is larger than {most} bytes", {"Connection": "close"})
        try:
            wanted = payload.decode(bytes(body))
        except ValueError:
            raise RequestRefusedError(400, "the body is not JSON") from None
        if not isinstance(wanted, dict) or not wanted.keys() <= _KEYS:
            raise RequestRefusedError(400, 'the body is to be {"queue": ..., "name": ..., "data": ...}')
        return wanted


def _answering(handler: Callable[[Request], Awaitable[ASGIApp]]) -> Callable[[Request], Awaitable[Any]]:
    """An endpoint that answers refusals with their status, and 503 where Redis cannot be reached."""

    async def answer(request: Request) -> Any:
        try:
            return await handler(request)
        except RequestRefusedError as error:
            status, reason, headers = error.status, error.reason, error.headers
        except RedisError:
            status, reason, headers = 503, "the queues cannot be reached", {"Retry-After": "5"}
        if status == 204:
            return Response(None, 204, headers=_HEADERS)
        return JSONResponse({"error": reason}, status, {**_HEADERS, **headers})

    return answer


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
