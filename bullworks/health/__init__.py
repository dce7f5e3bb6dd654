"""Health checks and metrics, apart from the board."""

from bullworks.extras import require

require("web", "bullworks.health")

from bullworks.health.auth import Credentials, MetricsAuth
from bullworks.health.endpoints import HealthEndpoints
from bullworks.health.liveness import Liveness
from bullworks.health.metrics import Metrics
from bullworks.health.module import HealthModule
from bullworks.health.readiness import Readiness
from bullworks.health.settings import HealthSettings

__all__ = [
    "Credentials",
    "HealthEndpoints",
    "HealthModule",
    "HealthSettings",
    "Liveness",
    "Metrics",
    "MetricsAuth",
    "Readiness",
]
