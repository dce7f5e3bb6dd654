"""Where the queues are and which workers this process runs, from the environment."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bullworks.settings import Folder, Listed, LowerCase, Milliseconds, Settings, url_scheme
from bullworks.workers.selection import ALL

REDIS_SCHEMES = (
    "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"
)  # fmt: skip


def _check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if ALL in names and len(names) > 1:
        raise ValueError(f"{ALL!r} stands alone, not beside names")
    return names


def _redis_url(url: SecretStr) -> SecretStr:
    return url_scheme(url, REDIS_SCHEMES)


def _queue_prefix(prefix: str) -> str:
    if not prefix.isprintable() or " " in prefix:
        raise ValueError("it holds a space or a control character")
    return prefix


class WorkersSettings(Settings):
    """Settings of workers: which ones this process runs."""

    workers_enabled: bool = Field(default=True, description="true, or false: this process only adds jobs")
    enabled_workers: Annotated[Listed, AfterValidator(_check_names)] = Field(
        default=(ALL,), description="all, or names with commas between them, as in ticker,candles"
    )
    schedule_runs: Annotated[Literal["all", "distributed", "none"], LowerCase] = Field(
        default="all", description="all, distributed (only the crons that the fleet shares) or none"
    )


class QueueSettings(Settings):
    """Settings of queues: their Redis, and connection timeouts."""

    app_env: Annotated[Literal["development", "test", "staging", "production"], LowerCase] = Field(
        default="development", description="development, test, staging or production"
    )
    queue_redis_url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = Field(
        default=None, description="as in redis://user:password@host:6379/0; unset: the embedded server"
    )
    queue_prefix: Annotated[str, AfterValidator(_queue_prefix)] = Field(
        default="bull", description="the prefix of every key; a Redis Cluster needs a {tag} in it"
    )
    queue_data_dir: Folder = Field(
        default=Path("var/redis"),
        validate_default=True,
        description="the folder in which the embedded server keeps the queues",
    )
    queue_connect_timeout_ms: Milliseconds = Field(
        default=5_000, description="whole milliseconds: how long the start waits for Redis"
    )
    shutdown_grace_ms: Milliseconds = Field(
        default=10_000, description="whole milliseconds: how long jobs may keep running after SIGTERM"
    )

    @model_validator(mode="after")
    def _check_production(self) -> Self:
        if self.app_env == "production" and self.queue_redis_url is None:
            raise ValueError(
                "QUEUE_REDIS_URL is unset: with APP_ENV=production there is no embedded server. "
                "Expected: as in redis://user:password@host:6379/0"
            )
        return self
