"""The three addresses: alive, ready, metrics."""

import logging
from typing import Annotated

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bullworks.core import Inject
from bullworks.extras import MissingExtraError, require
from bullworks.health.auth import Credentials, may_read
from bullworks.health.liveness import Liveness
from bullworks.health.metrics import Metrics
from bullworks.health.options import HEALTH_SETUP, HealthSetup
from bullworks.health.readiness import Readiness

log = logging.getLogger(__name__)

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="metrics", Basic realm="metrics", charset="UTF-8"'}


class HealthEndpoints:
    """Serves `/health/live` and `/health/ready` to all callers, and `/metrics` to authenticated ones.

    Attributes:
        routes: Starlette's; of an application that serves HTTP by itself they can be mounted anywhere.
    """

    def __init__(
        self,
        setup: Annotated[HealthSetup, Inject(HEALTH_SETUP)],
        liveness: Liveness,
        readiness: Readiness,
        metrics: Metrics,
    ) -> None:
        self._auth = setup.metrics_auth
        self._liveness = liveness
        self._readiness = readiness
        self._metrics = metrics
        self.routes: tuple[BaseRoute, ...] = (
            Route("/health/live", self._live),
            Route("/health/ready", self._ready),
            Route("/metrics", self._read_metrics),
        )

    def on_application_start(self) -> None:
        """Log once if no caller can read the metrics."""
        try:
            require("metrics", "/metrics")
        except MissingExtraError as error:
            log.info("%s", error)
            return
        if isinstance(self._auth, Credentials) and not self._auth.is_any_set:
            log.info("/metrics answers 401 until METRICS_TOKEN or METRICS_PASSWORD is set")

    async def _live(self, _: Request) -> Response:
        return _respond(is_well=self._liveness.is_alive())

    async def _ready(self, _: Request) -> Response:
        return _respond(is_well=await self._readiness.is_ready())

    async def _read_metrics(self, request: Request) -> Response:
        if not await may_read(self._auth, request):
            return PlainTextResponse("not ok\n", 401, headers={**_HEADERS, **_CHALLENGE})
        try:
            text, content_type = await self._metrics.render(request.headers.get("accept", ""))
        except MissingExtraError as error:
            return PlainTextResponse(f"{error}\n", 501, headers=_HEADERS)
        return Response(text, headers={**_HEADERS, "Content-Type": content_type})


def _respond(*, is_well: bool) -> Response:
    return PlainTextResponse("ok\n" if is_well else "not ok\n", 200 if is_well else 503, headers=_HEADERS)
