"""What signs the tokens of jobs, from the environment."""

from pydantic import Field, SecretStr

from bullworks.settings import Milliseconds, Settings

LEAST_SECRET_CHARS = 32


class JobApiSettings(Settings):
    """Settings of the job API: the tokens with which a job can be followed."""

    job_token_secret: SecretStr = Field(
        min_length=LEAST_SECRET_CHARS,
        description="32 random characters or more, the same in all processes; it signs the tokens of jobs",
    )
    job_token_ttl_ms: Milliseconds = Field(
        default=60 * 60 * 1000, description="whole milliseconds: how long a job can be followed with its token"
    )
