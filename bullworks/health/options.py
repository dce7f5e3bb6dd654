"""The options of HealthModule, from code or from the settings."""

from dataclasses import dataclass

from bullworks.bullmq import Duration, checked_ms
from bullworks.core import Token
from bullworks.health.auth import Credentials, MetricsAuth
from bullworks.health.settings import HealthSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOptions:
    """Options of `HealthModule.for_root()`; missing ones come from the settings.

    Args:
        max_wait: with a job that has waited longer, the process is not ready; 0 means no limit.
            HEALTH_MAX_WAIT_MS unless given.
        metrics_auth: who may read the metrics; METRICS_TOKEN, METRICS_USER and METRICS_PASSWORD unless given.
    """

    max_wait: Duration | None = None
    metrics_auth: MetricsAuth | None = None

    @property
    def needs_settings(self) -> bool:
        """Whether an option is missing, so that the settings are needed."""
        return self.max_wait is None or self.metrics_auth is None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSetup:
    """The completed options of HealthModule."""

    max_wait_ms: int
    metrics_auth: MetricsAuth


def complete(options: HealthOptions, settings: HealthSettings | None = None) -> HealthSetup:
    """Complete the options from the settings.

    Args:
        settings: needed where something was.

    Raises:
        InvalidOptionError: max_wait is not a duration.
    """
    given = settings or HealthSettings.model_construct()
    max_wait_ms = given.health_max_wait_ms if options.max_wait is None else checked_ms("max_wait", options.max_wait)
    return HealthSetup(max_wait_ms=max_wait_ms, metrics_auth=options.metrics_auth or _credentials(given))


def _credentials(settings: HealthSettings) -> Credentials:
    token, password = settings.metrics_token, settings.metrics_password
    return Credentials(
        token=None if token is None else token.get_secret_value(),
        user=settings.metrics_user,
        password=None if password is None else password.get_secret_value(),
    )


HEALTH_SETUP: Token[HealthSetup] = Token("health:setup", hint="import HealthModule.for_root() in the root module")
