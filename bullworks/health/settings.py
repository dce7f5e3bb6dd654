"""When this process is ready, and who may read its metrics, from the environment."""

from typing import Annotated

from pydantic import Field, SecretStr

from bullworks.settings import DAY_MS, Settings


class HealthSettings(Settings):
    """Settings of readiness, and of access to metrics."""

    health_max_wait_ms: Annotated[int, Field(ge=0, le=DAY_MS)] = Field(
        default=15 * 60 * 1000, description="whole milliseconds: how long a job may wait; 0: no limit"
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="the token that Prometheus sends as Authorization: Bearer; without any, access is denied",
    )
    metrics_user: str = Field(default="prometheus", description="the user name for METRICS_PASSWORD")
    metrics_password: SecretStr | None = Field(
        default=None, description="the password for Basic auth; unset: no Basic auth"
    )
