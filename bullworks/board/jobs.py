"""Jobs as Bull Board's page reads them. One that cannot be read is shown as that, and spoils nothing else."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from bullworks.board.queues import BoardQueue, JobUrl
from bullworks.board.redaction import Redaction, too_large
from bullworks.board.wire import public_options
from bullworks.bullmq.wire import codec
from bullworks.redis import ServerError

log = logging.getLogger(__name__)

T = TypeVar("T")

_LEGACY_ATTEMPTS = b"attemptsMade"
_SMALL = (
    codec.NAME, codec.TIMESTAMP, codec.DELAY, codec.PRIORITY, codec.PROCESSED_ON, codec.FINISHED_ON,
    codec.ATTEMPTS_MADE, _LEGACY_ATTEMPTS, codec.ATTEMPTS_STARTED, codec.STALLED_COUNTER, codec.PROCESSED_BY,
    codec.DEDUPLICATION_ID, codec.SCHEDULER_ID,
)  # fmt: skip
_LARGE = (
    codec.DATA, codec.OPTS, codec.PROGRESS, codec.RETURN_VALUE, codec.FAILED_REASON, codec.STACK_TRACE,
    codec.DEFERRED_FAILURE,
)  # fmt: skip
_PAGE_BYTES = 4 * 1024 * 1024
"""Of all the jobs of a page together, about: the more there are, the less is shown of each."""

NOT_JSON = "[not JSON]"

AppJob = dict[str, Any]


class JobReader:
    """Reads jobs in the form that the board displays.

    Args:
        redaction: hides secrets.
        shown_bytes: of one value; see BoardOptions.
        pages_at: where our own pages are: a job leads to its page there, unless its queue says where else.
    """

    def __init__(self, redaction: Redaction, shown_bytes: int, pages_at: str | None = None) -> None:
        self._redaction = redaction
        self._shown_bytes = shown_bytes
        self._pages_at = pages_at

    async def read(self, entry: BoardQueue, job_ids: Sequence[str]) -> list[AppJob]:
        """Read the jobs that exist among these ids, in two round trips however many they are.

        What is larger than is shown is not even read.
        """
        if not job_ids:
            return []
        glance = entry.glance
        most_bytes = min(self._shown_bytes, _PAGE_BYTES // len(job_ids))
        looks = await _gather(glance.fields_and_sizes(job_id, _SMALL, _LARGE) for job_id in job_ids)
        jobs: list[AppJob] = []
        second: list[tuple[int, str, dict[bytes, bytes], dict[bytes, int]]] = []
        for job_id, look in zip(job_ids, looks, strict=True):
            if isinstance(look, ServerError):
                jobs.append(unreadable(job_id, str(look)))
                continue
            small, sizes = look
            if codec.NAME in small or codec.TIMESTAMP in small:
                second.append((len(jobs), job_id, small, sizes))
                jobs.append({})
        parts = await _gather(
            # the name, so that there is always one to ask for
            glance.fields(job_id, [codec.NAME, *(name for name, size in sizes.items() if size <= most_bytes)])
            for _, job_id, _, sizes in second
        )
        for (place, job_id, small, sizes), part in zip(second, parts, strict=True):
            if isinstance(part, ServerError):
                jobs[place] = unreadable(job_id, str(part))
                continue
            oversize = {name: size for name, size in sizes.items() if size > most_bytes}
            jobs[place] = self._job(entry, job_id, {**part, **small}, oversize, most_bytes)
        return jobs

    async def read_one(self, entry: BoardQueue, job_id: str) -> AppJob | None:
        """Read one job; None if no job has that id."""
        return next(iter(await self.read(entry, [job_id])), None)

    def _job(
        self, entry: BoardQueue, job_id: str, fields: dict[bytes, bytes], oversize: dict[bytes, int], most_bytes: int
    ) -> AppJob:
        try:
            return self._format(entry, job_id, fields, oversize, most_bytes)
        except (ValueError, RecursionError, TypeError) as error:
            return unreadable(job_id, f"{type(error).__name__}: {error}")

    def _format(
        self, entry: BoardQueue, job_id: str, fields: dict[bytes, bytes], oversize: dict[bytes, int], most_bytes: int
    ) -> AppJob:
        def value(field: bytes, default: Any) -> Any:
            if field in oversize:
                return too_large(oversize[field], most_bytes)
            if field not in fields:
                return default
            try:
                return self._redaction.hide(parsed(fields[field]))
            except (ValueError, RecursionError):
                return {NOT_JSON: text(fields[field])}

        reason = _oversize_text(oversize, codec.FAILED_REASON) or _optional_text(fields, codec.FAILED_REASON)
        traces = value(codec.STACK_TRACE, [])
        stacktrace = [str(trace) for trace in reversed(traces) if trace] if isinstance(traces, list) else []
        opts = value(codec.OPTS, {})
        attempts = _whole(fields, _LEGACY_ATTEMPTS) or _whole(fields, codec.ATTEMPTS_MADE) or 0
        job: AppJob = {
            "id": job_id,
            "name": _optional_text(fields, codec.NAME) or "",
            "timestamp": _whole(fields, codec.TIMESTAMP) or 0,
            "progress": value(codec.PROGRESS, 0),
            "attempts": attempts,
            "delay": _whole(fields, codec.DELAY),
            "stacktrace": stacktrace,
            "opts": public_options(opts),
            "data": value(codec.DATA, {}),
            "isFailed": bool(reason) or bool(stacktrace),
        }
        returned = value(codec.RETURN_VALUE, None)
        if not (isinstance(returned, dict) and NOT_JSON in returned):
            job["returnValue"] = returned
        if reason is not None:
            job["failedReason"] = reason
        started = _whole(fields, codec.ATTEMPTS_STARTED) or 0
        group = opts.get("group") if isinstance(opts, dict) else None
        optional = {
            "processedOn": _whole(fields, codec.PROCESSED_ON),
            "processedBy": _optional_text(fields, codec.PROCESSED_BY),
            "finishedOn": _whole(fields, codec.FINISHED_ON),
            "groupId": group.get("id") if isinstance(group, dict) else None,
            "priority": _whole(fields, codec.PRIORITY),
            "attemptsStarted": started if started > attempts else None,
            "stalledCounter": _whole(fields, codec.STALLED_COUNTER),
            "deduplicationId": _optional_text(fields, codec.DEDUPLICATION_ID),
            "deferredFailure": _optional_text(fields, codec.DEFERRED_FAILURE),
        }
        job.update((name, item) for name, item in optional.items() if item)
        if (url := self._leads_to(entry, job)) is not None:
            job["externalUrl"] = url
        return job

    def _leads_to(self, entry: BoardQueue, job: AppJob) -> dict[str, str] | None:
        if entry.job_url is not None:
            return _external(entry.job_url, job)
        if self._pages_at is None:
            return None
        query = urlencode({"queue": entry.shown_name, "id": job["id"]}, errors="replace")
        return {"displayText": "details", "href": f"{self._pages_at}/job?{query}"}


def unreadable(job_id: str, reason: str) -> AppJob:
    """Build a placeholder for a job that cannot be read."""
    return {
        "id": job_id,
        "name": "(cannot be read)",
        "timestamp": 0,
        "progress": 0,
        "attempts": 0,
        "delay": 0,
        "stacktrace": [],
        "opts": {},
        "data": None,
        "returnValue": None,
        "isFailed": True,
        "failedReason": f"this job cannot be read: {reason}",
    }


def parsed(encoded: bytes) -> Any:
    """Parse JSON, as strictly as browsers do.

    Raises:
        ValueError: it is not that.
    """
    return json.loads(encoded.decode(), parse_constant=_refuse_constant)


def text(value: bytes) -> str:
    """Decode bytes to text; invalid bytes are replaced."""
    return value.decode("utf-8", "replace")


async def _gather(reads: Iterable[Awaitable[T]]) -> list[T | ServerError]:
    """What each read gives, or the error that Redis answered."""
    gathered: list[T | ServerError] = []
    for answer in await asyncio.gather(*reads, return_exceptions=True):
        if isinstance(answer, BaseException) and not isinstance(answer, ServerError):
            raise answer
        gathered.append(answer)
    return gathered


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _optional_text(fields: Mapping[bytes, bytes], field: bytes) -> str | None:
    value = fields.get(field)
    return None if value is None else text(value)


def _oversize_text(oversize: Mapping[bytes, int], field: bytes) -> str | None:
    return f"({oversize[field]} bytes, too large to be shown)" if field in oversize else None


def _whole(fields: Mapping[bytes, bytes], field: bytes) -> int | None:
    try:
        return int(float(fields[field]))
    except (KeyError, ValueError, OverflowError):
        return None


def _external(job_url: JobUrl, job: AppJob) -> dict[str, str] | None:
    """Where a job leads; an address that a browser could run is none."""
    try:
        given = job_url(job)
    except Exception:
        log.warning("job_url failed for job %s", job["id"], exc_info=True, extra={"job_id": job["id"]})
        return None
    label, href = (None, given) if isinstance(given, str | None) else given
    if href is None or urlsplit(href).scheme.lower() not in {"http", "https"}:
        return None
    return {"href": href} if label is None else {"displayText": label, "href": href}
