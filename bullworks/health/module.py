"""HealthModule: health checks and metrics, as a module to import."""

from functools import partial

from bullworks.bullmq import Duration
from bullworks.core import ModuleContainer, dynamic_module, provide, provide_setup
from bullworks.health.auth import MetricsAuth
from bullworks.health.endpoints import HealthEndpoints
from bullworks.health.liveness import Liveness
from bullworks.health.metrics import Metrics
from bullworks.health.options import HEALTH_SETUP, HealthOptions, complete
from bullworks.health.readiness import Readiness
from bullworks.health.settings import HealthSettings, MetricsScope
from bullworks.web import WebRoutes, get_routes_token


class HealthModule:
    """The health module: import `for_root()` once, beside `BullModule.for_root()`; any ASGI app can serve it too."""

    @classmethod
    def for_root(
        cls,
        *,
        max_run: Duration | None = None,
        metrics_scope: MetricsScope | None = None,
        metrics_auth: MetricsAuth | None = None,
    ) -> ModuleContainer:
        """Provide `/health/live`, `/health/ready` and `/metrics`.

        Args:
            max_run, metrics_scope, metrics_auth: see `HealthOptions`. Unless all are given, settings are read when
                the application is built.
        """
        options = HealthOptions(max_run=max_run, metrics_scope=metrics_scope, metrics_auth=metrics_auth)
        settings = HealthSettings if options.needs_settings else None
        return dynamic_module(
            HealthModule,
            providers=[
                *provide_setup(HEALTH_SETUP, partial(complete, options), settings),
                Liveness,
                Readiness,
                Metrics,
                HealthEndpoints,
                provide(get_routes_token("health"), use_factory=_routes_of, inject=[HealthEndpoints]),
            ],
            exports=[HealthEndpoints, Readiness, Metrics],
            key=(cls, options),
        )


def _routes_of(endpoints: HealthEndpoints) -> WebRoutes:
    return WebRoutes(endpoints.routes)
