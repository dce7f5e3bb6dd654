"""The options of JobApiModule, from code or from the settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.bullmq import Duration, checked_ms
from bullworks.bullmq.options import checks
from bullworks.core import Token
from bullworks.job_api.allowed_job import AllowedJob
from bullworks.job_api.errors import NoSecretError, SameJobError
from bullworks.job_api.settings import LEAST_SECRET_CHARS, JobApiSettings
from bullworks.web import Auth


@dataclass(frozen=True, slots=True, kw_only=True)
class JobApiOptions:
    """Options of `JobApiModule.for_root()`; it describes each."""

    jobs: Sequence[AllowedJob]
    auth: Auth | None
    path: str
    secret: str | None
    token_ttl: Duration | None
    most_bytes: int
    most_streams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobApiSetup:
    """The completed options of JobApiModule."""

    jobs: Sequence[AllowedJob]
    auth: Auth | None
    path: str
    secret: str
    token_ttl_ms: int
    most_bytes: int
    most_streams: int


def complete(options: JobApiOptions, settings: JobApiSettings | None = None) -> JobApiSetup:
    """Check the options, and complete them from the settings.

    Args:
        settings: needed where `secret` was left out.

    Raises:
        NoSecretError: the secret is too short.
        SameJobError: a job is allowed twice.
        InvalidOptionError: another option is out of range.
    """
    given = settings or JobApiSettings.model_construct()
    secret = options.secret if settings is None else settings.job_token_secret.get_secret_value()
    if secret is None or len(secret) < LEAST_SECRET_CHARS:
        raise NoSecretError(LEAST_SECRET_CHARS)
    seen: set[tuple[str, str]] = set()
    for job in options.jobs:
        if (job.queue, job.name) in seen:
            raise SameJobError(job.queue, job.name)
        seen.add((job.queue, job.name))
    ttl = given.job_token_ttl_ms if options.token_ttl is None else checked_ms("token_ttl", options.token_ttl, least=1)
    return JobApiSetup(
        jobs=options.jobs,
        auth=options.auth,
        path=options.path.rstrip("/"),
        secret=secret,
        token_ttl_ms=ttl,
        most_bytes=checks.whole("most_bytes", options.most_bytes, 1),
        most_streams=checks.whole("most_streams", options.most_streams, 0),
    )


JOB_API_SETUP: Token[JobApiSetup] = Token(
    "job-api:setup", hint="import JobApiModule.for_root([...]) in the root module"
)
