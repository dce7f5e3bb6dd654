"""Health checks and metrics, apart from the board."""

from app.health.auth import Credentials, MetricsAuth
from app.health.endpoints import HealthEndpoints
from app.health.metrics import Metrics
from app.health.module import HealthModule
from app.health.readiness import Readiness

__all__ = ["Credentials", "HealthEndpoints", "HealthModule", "Metrics", "MetricsAuth", "Readiness"]
