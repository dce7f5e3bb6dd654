"""Jobs over HTTP: browsers and programs add the jobs that the service allows, and follow them as they run."""

from bullworks.extras import require

require("web", "the job API")

from bullworks.job_api.allowed_job import AllowedJob
from bullworks.job_api.api import JobApi
from bullworks.job_api.errors import JobApiError, NoSecretError, SameJobError
from bullworks.job_api.job_tokens import JobTokens
from bullworks.job_api.module import JobApiModule
from bullworks.job_api.settings import JobApiSettings

__all__ = [
    "AllowedJob",
    "JobApi",
    "JobApiError",
    "JobApiModule",
    "JobApiSettings",
    "JobTokens",
    "NoSecretError",
    "SameJobError",
]
