"""When this process counts as alive, what its metrics cover and who may read them, from the environment."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from bullworks.settings import DAY_MS, Settings

MetricsScope = Literal["all", "process", "fleet"]


class HealthSettings(Settings):
    """Settings of liveness and of metrics."""

    health_max_run_ms: Annotated[int, Field(ge=0, le=DAY_MS)] = Field(
        default=0, description="whole milliseconds: a job that runs for longer makes /health/live fail; 0: no limit"
    )
    metrics_scope: MetricsScope = Field(
        default="all",
        description="process: only what this process does, for each of many; fleet: only what lies in Redis, "
        "for the one that is scraped for it; all: both",
    )
    metrics_histogram_queues: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=100, description="how many queues have histograms, the busiest first; the others have counters only"
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="the token that Prometheus sends as Authorization: Bearer; without any, access is denied",
    )
    metrics_user: str = Field(default="prometheus", description="the user name for METRICS_PASSWORD")
    metrics_password: SecretStr | None = Field(
        default=None, description="the password for Basic auth; unset: no Basic auth"
    )
