"""Applications with workers, health checks and metrics, served on a free port."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from bullworks.bullmq import Job
from bullworks.core import Application, create_application, dynamic_module
from bullworks.health import Credentials, HealthModule
from bullworks.web import WebModule, WebServer
from bullworks.workers import BullModule, WorkerHost, processor
from bullworks.workers.history import HistoryModule

TOKEN = "a-token-for-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

Serving = Callable[..., Application]


@processor("email")
class EmailWorker(WorkerHost):
    """Fails the jobs named so."""

    async def process(self, job: Job) -> None:
        if job.name == "bad":
            raise ValueError("on purpose")


@pytest.fixture
def serving(redis_url: str, key_prefix: str) -> Serving:
    """An application on the test's server and prefix, not started yet."""

    def build(
        *providers: Any,
        url: str = redis_url,
        queues: Sequence[str] = ("email",),
        max_run: int = 0,
        metrics_scope: Any = "all",
        metrics_auth: Any = Credentials(token=TOKEN),
        **options: Any,
    ) -> Application:
        class Root:
            pass

        workers = BullModule.for_root(queues=queues, providers=providers, connection=url, prefix=key_prefix, **options)
        return create_application(
            dynamic_module(
                Root,
                imports=[
                    workers,
                    WebModule.for_root(port=0),
                    HealthModule.for_root(max_run=max_run, metrics_scope=metrics_scope, metrics_auth=metrics_auth),
                    HistoryModule.for_root(enabled=True, flush_s=0.05),
                ],
            )
        )

    return build


async def get(app: Application, path: str, **headers: str) -> httpx.Response:
    """What the application answers."""
    async with httpx.AsyncClient(base_url=str(app.get(WebServer).url), timeout=10) as client:
        return await client.get(path, headers=headers)
