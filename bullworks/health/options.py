"""The options of HealthModule, from code or from the settings."""

from dataclasses import dataclass

from bullworks.bullmq.durations import Duration, checked_ms
from bullworks.core import Token
from bullworks.health.auth import Credentials, MetricsAuth
from bullworks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOptions:
    """What `HealthModule.for_root()` takes; what is left out comes from the settings.

    Args:
        max_wait: with a job that has waited longer, the process is not ready; 0: however long.
            HEALTH_MAX_WAIT_MS unless given.
        metrics_auth: who may read the metrics; METRICS_TOKEN, METRICS_USER and METRICS_PASSWORD unless given.
    """

    max_wait: Duration | None = None
    metrics_auth: MetricsAuth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSetup:
    """The same, complete."""

    max_wait_ms: int
    metrics_auth: MetricsAuth


def complete(options: HealthOptions) -> HealthSetup:
    """Fill in what was left out.

    Raises:
        SettingsError: the settings are read and cannot be used.
        InvalidOptionError: max_wait is no duration.
    """
    max_wait_ms = None if options.max_wait is None else checked_ms("max_wait", options.max_wait)
    if max_wait_ms is not None and options.metrics_auth is not None:
        return HealthSetup(max_wait_ms=max_wait_ms, metrics_auth=options.metrics_auth)
    given = Settings.load().health
    token, password = given.metrics_token, given.metrics_password
    credentials = Credentials(
        token=None if token is None else token.get_secret_value(),
        user=given.metrics_user,
        password=None if password is None else password.get_secret_value(),
    )
    return HealthSetup(
        max_wait_ms=given.health_max_wait_ms if max_wait_ms is None else max_wait_ms,
        metrics_auth=options.metrics_auth or credentials,
    )


HEALTH_SETUP: Token[HealthSetup] = Token("health:setup", hint="import HealthModule.for_root() in the root module")
