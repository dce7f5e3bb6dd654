"""JobApiModule: jobs over HTTP, as a module to import."""

from collections.abc import Iterable
from functools import partial

from bullworks.bullmq import Duration
from bullworks.core import ModuleContainer, dynamic_module, provide, provide_setup
from bullworks.job_api.allowed_job import AllowedJob
from bullworks.job_api.api import JobApi
from bullworks.job_api.options import JOB_API_SETUP, JobApiOptions, complete
from bullworks.job_api.settings import JobApiSettings
from bullworks.web import Auth, get_routes_token


class JobApiModule:
    """The job API: import `for_root()` once, beside `WebModule.for_root()` or in an application that FastAPI hosts."""

    @classmethod
    def for_root(
        cls,
        jobs: Iterable[AllowedJob],
        *,
        auth: Auth | None = None,
        path: str = "/jobs",
        secret: str | None = None,
        token_ttl: Duration | None = None,
        most_bytes: int = 64 * 1024,
        most_streams: int = 2_000,
    ) -> ModuleContainer:
        """Serve `POST /jobs`, `GET /jobs/{id}` and `GET /jobs/{id}/events`.

        Args:
            jobs: what may be added and looked at; nothing else is.
            auth: who may add jobs, and look at any of these without a token. None means this machine only; `anyone`
                opens it to all.
            path: of the API, without a slash at the end.
            secret: signs the tokens of jobs, 32 random characters or more, the same in all processes. Unless it is
                given, it is JOB_TOKEN_SECRET, read when the application is built.
            token_ttl: how long a job can be followed with its token, ms or a timedelta; JOB_TOKEN_TTL_MS, or an hour.
            most_bytes: of the body of a request; a larger one is refused with 413, and not read to its end.
            most_streams: of events in this process at a time; a further one is refused with 503.
        """
        options = JobApiOptions(
            jobs=tuple(jobs),
            auth=auth,
            path=path,
            secret=secret,
            token_ttl=token_ttl,
            most_bytes=most_bytes,
            most_streams=most_streams,
        )
        settings = JobApiSettings if secret is None else None
        return dynamic_module(
            JobApiModule,
            providers=[
                *provide_setup(JOB_API_SETUP, partial(complete, options), settings),
                JobApi,
                provide(get_routes_token("jobs"), use_factory=JobApi.routes, inject=[JobApi]),
            ],
            exports=[JobApi],
        )
