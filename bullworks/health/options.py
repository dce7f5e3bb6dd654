"""The options of HealthModule, from code or from the settings."""

from dataclasses import dataclass
from typing import get_args

from bullworks.bullmq import Duration, InvalidOptionError, checked_ms
from bullworks.core import Token
from bullworks.health.auth import Credentials, MetricsAuth
from bullworks.health.settings import HealthSettings, MetricsScope


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOptions:
    """Options of `HealthModule.for_root()`; missing ones come from the settings.

    Args:
        max_run: with a job that runs for longer, the process counts as hung; 0 means no limit. HEALTH_MAX_RUN_MS unless
            given.
        metrics_scope: what the metrics cover, see `MetricsScope`; METRICS_SCOPE unless given.
        metrics_auth: who may read the metrics; METRICS_TOKEN, METRICS_USER and METRICS_PASSWORD unless given.
    """

    max_run: Duration | None = None
    metrics_scope: MetricsScope | None = None
    metrics_auth: MetricsAuth | None = None

    @property
    def needs_settings(self) -> bool:
        """Whether an option is missing, so that the settings are needed."""
        return None in (self.max_run, self.metrics_scope, self.metrics_auth)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSetup:
    """The completed options of HealthModule."""

    max_run_ms: int
    metrics_scope: MetricsScope
    histogram_queues: int
    metrics_auth: MetricsAuth


def complete(options: HealthOptions, settings: HealthSettings | None = None) -> HealthSetup:
    """Complete the options from the settings.

    Args:
        settings: needed where something was.

    Raises:
        InvalidOptionError: max_run is not a duration, or metrics_scope is none of its words.
    """
    given = settings or HealthSettings.model_construct()
    max_run_ms = given.health_max_run_ms if options.max_run is None else checked_ms("max_run", options.max_run)
    scope = options.metrics_scope or given.metrics_scope
    if scope not in get_args(MetricsScope):
        raise InvalidOptionError("metrics_scope", f"must be one of {', '.join(get_args(MetricsScope))}, not {scope!r}")
    return HealthSetup(
        max_run_ms=max_run_ms,
        metrics_scope=scope,
        histogram_queues=given.metrics_histogram_queues,
        metrics_auth=options.metrics_auth or _credentials(given),
    )


def _credentials(settings: HealthSettings) -> Credentials:
    token, password = settings.metrics_token, settings.metrics_password
    return Credentials(
        token=None if token is None else token.get_secret_value(),
        user=settings.metrics_user,
        password=None if password is None else password.get_secret_value(),
    )


HEALTH_SETUP: Token[HealthSetup] = Token("health:setup", hint="import HealthModule.for_root() in the root module")
