"""Log records of a process, said in its worker, so that all logs have one form and go one way."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from bullworks.bullmq.errors import InvalidPayloadError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.process_pool.messages import Logged
from bullworks.bullmq.wire import payload


class LogForwarder(logging.Handler):
    """Logging handler of a child process: sends log records to the worker.

    Args:
        send: to the worker.
    """

    def __init__(self, send: Callable[[Logged], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record; a record that cannot be sent is printed to stderr, as logging does with its own errors."""
        try:
            attributes = dict(record.__dict__)
            # As logging.handlers.QueueHandler: what only this process can put into words, it does.
            attributes["msg"], attributes["args"] = record.getMessage(), None
            if record.exc_info:
                attributes["exc_text"] = logging.Formatter().formatException(record.exc_info)
            attributes["exc_info"] = None
            self._send(Logged({name: _plain(value) for name, value in attributes.items()}))
        except Exception:  # noqa: BLE001 - logging must not raise
            self.handleError(record)


def say(record: Mapping[str, Any], job: Job | None) -> None:
    """Log a record from a child process in the worker, with the job that it ran, if any."""
    logger = logging.getLogger(record["name"])
    if logger.isEnabledFor(record["levelno"]):
        facts = {} if job is None else {"queue": job.queue_name, "job_id": job.id}
        logger.handle(logging.makeLogRecord({**facts, **record}))


def _plain(value: Any) -> Any:
    """What needs no class of the process to be read."""
    try:
        payload.check(value)
    except InvalidPayloadError:
        return repr(value)
    return value
