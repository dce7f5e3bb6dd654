"""How the board refuses: in the form that Bull Board's page reads, {error: {key}, message?, code?}."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bullworks.bullmq import (
    ActiveJobsError,
    InvalidOptionError,
    InvalidPayloadError,
    JobLockedError,
    JobNotFoundError,
    JobStateError,
    ParentError,
    SchedulerJobError,
)
from bullworks.core import CoreError
from bullworks.redis import RedisError, ServerError


class BoardError(CoreError):
    """Base of the errors in a board's configuration, raised at start."""


@dataclass(eq=False)
class SameQueueNameError(BoardError):
    """Two queues of a board have the same name."""

    name: str

    def __str__(self) -> str:
        return f"two queues of the board are called {self.name!r}; give one BoardQueue(queue, name=...)"


@dataclass(eq=False)
class BadBasePathError(BoardError):
    """The board cannot be served under the given path."""

    path: str

    def __str__(self) -> str:
        return f"the board's path {self.path!r} cannot be used: it begins with / and is plain, as in /admin/queues"


@dataclass(eq=False)
class BadPublicUrlError(BoardError):
    """The board's public URL cannot be used."""

    url: str

    def __str__(self) -> str:
        return (
            f"the board's public URL {self.url!r} cannot be used: give one as in https://ops.example.com/admin/queues"
        )


@dataclass(eq=False)
class OpenInProductionError(BoardError):
    """The board has no auth although APP_ENV is production."""

    def __str__(self) -> str:
        return (
            "APP_ENV is production and the board has no auth. Set BOARD_PASSWORD, BOARD_USERS or BOARD_TOKEN, give "
            "BoardModule.for_root(auth=...), or set BOARD_ENABLED=false"
        )


class RefusedError(Exception):
    """A board request was refused; holds the HTTP status and the message.

    Attributes:
        status: of HTTP.
        key: one of Bull Board's translation keys, as in "ERRORS.QUEUE_NOT_FOUND".
        options: what the translation inserts.
        message: more about it: a text, or a key with options.
        code: for programs.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        key: str,
        message: str | Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        super().__init__(status, key, message)
        self.status = status
        self.key = f"ERRORS.{key}"
        self.message = message
        self.options = options
        self.code = code
        self.headers = dict(headers or {})
        self.more = more

    def __str__(self) -> str:
        return self.message if isinstance(self.message, str) else self.key

    def body(self) -> dict[str, Any]:
        """The JSON body of the error response."""
        error = {"key": self.key} if self.options is None else {"key": self.key, "options": dict(self.options)}
        body: dict[str, Any] = {"error": error}
        if self.message is not None:
            body["message"] = self.message
        if self.code is not None:
            body["code"] = self.code
        return {**body, **self.more}


def invalid(key: str, message: str | None = None, **options: Any) -> RefusedError:
    """Build a 400 error: the request's input cannot be used."""
    return RefusedError(400, key, message, options=options or None, code="INVALID_REQUEST")


def refusal_of(error: Exception) -> RefusedError | None:
    """Map an engine error to an HTTP error; None if it is a bug, which the response must not describe."""
    refusal: RefusedError | None = None
    match error:
        case RefusedError():
            refusal = error
        case InvalidOptionError() | InvalidPayloadError():
            refusal = invalid("INVALID_REQUEST_BODY", str(error))
        case JobNotFoundError():
            refusal = RefusedError(404, "JOB_NOT_FOUND")
        case JobLockedError():
            details = {"key": "ERRORS.JOB_IS_ACTIVE_DETAILS", "options": {"jobId": error.job_id}}
            refusal = RefusedError(409, "JOB_IS_ACTIVE", details)
        case ActiveJobsError():
            refusal = RefusedError(409, "QUEUE_HAS_ACTIVE_JOBS", {"key": "ERRORS.QUEUE_HAS_ACTIVE_JOBS_DETAILS"})
        case JobStateError() | SchedulerJobError() | ParentError():
            refusal = RefusedError(409, "INTERNAL_SERVER_ERROR", str(error), code="CONFLICT")
        case ServerError():
            refusal = RefusedError(502, "REDIS_UNAVAILABLE", str(error))
        case RedisError():  # its text names the address, without a password
            refusal = RefusedError(503, "REDIS_UNAVAILABLE", str(error))
    return refusal
