"""What is wrong with a job API: with its options, at the start; or with a request, for who sent it."""

from dataclasses import dataclass, field

from bullworks.core import CoreError
from bullworks.errors import FactError


class JobApiError(CoreError):
    """Base of the errors of this package that end a start."""


@dataclass(eq=False)
class SameJobError(JobApiError):
    """Two entries of `jobs` are of one queue and name."""

    queue: str
    name: str

    def __str__(self) -> str:
        return f"the job {self.name!r} of the queue {self.queue!r} is allowed twice; remove one of the two entries"


@dataclass(eq=False)
class NoSecretError(JobApiError):
    """The secret that signs the tokens of jobs is too short to be one."""

    least_chars: int

    def __str__(self) -> str:
        return (
            f"secret= needs {self.least_chars} random characters or more, as "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'` prints them"
        )


@dataclass(eq=False)
class RequestRefusedError(FactError):
    """A request is answered with a status and a reason."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.reason
