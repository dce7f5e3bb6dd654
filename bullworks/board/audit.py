"""Who changed what: a bounded stream in Redis, and a log line each."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bullworks.board.keys import audit_of
from bullworks.bullmq import Queue
from bullworks.bullmq.wire.payload import decode, encode
from bullworks.redis import RedisError

log = logging.getLogger(__name__)

MOST_EVENTS = 10_000
"""Kept, about: some 2 MB."""
_NOTE_CHARS = 500
# What a refusal may wait for: the log has the event already.
_STORE_S = 1.0

Outcome = Literal["done", "refused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One change, or attempted change, made through the board.

    Attributes:
        who: the name that `auth` gave.
        action: see `bullworks.board.security.Action`.
        queue: its name on the board; None means all of them.
        job: of a job or a job scheduler.
        outcome: done; refused, by the policy or as it could not be done; failed, which a log explains.
        note: what was asked for in detail, or why it was refused.
        id: of the stream entry; "" before it is stored.
        at_ms: when, by Redis's clock.
    """

    who: str
    action: str
    queue: str | None = None
    job: str | None = None
    outcome: Outcome = "done"
    note: str = ""
    id: str = ""
    at_ms: int = 0


class Audit:
    """The audit trail of all boards over queues of one prefix.

    Args:
        home: gives a queue that it is kept beside; None means it is only logged.
    """

    def __init__(self, home: Callable[[], Queue[Any] | None]) -> None:
        self._home = home

    async def record(self, event: AuditEvent) -> None:
        """Log an event and store it. If Redis is away, the event is logged only; the change itself stays."""
        log.info(
            "%s: %s, queue %s, job %s: %s",
            event.who,
            event.action,
            event.queue or "-",
            event.job or "-",
            event.outcome,
            extra={"who": event.who, "action": event.action, "queue": event.queue, "job_id": event.job},
        )
        home = self._home()
        if home is None:
            return
        fields = {
            "who": event.who,
            "action": event.action,
            "queue": event.queue,
            "job": event.job,
            "outcome": event.outcome,
            "note": event.note[:_NOTE_CHARS],
        }
        try:
            key = audit_of(home.keys.prefix)
            async with asyncio.timeout(_STORE_S):
                await home.connection.execute("XADD", key, "MAXLEN", "~", MOST_EVENTS, "*", "event", encode(fields))
        except (RedisError, TimeoutError) as error:
            reason = str(error) or "Redis did not answer in time"
            log.error("an audit event was not stored: %s", reason, extra={"who": event.who, "action": event.action})

    async def latest(self, count: int = 100, *, before: str | None = None) -> list[AuditEvent]:
        """Read audit events, newest first.

        Args:
            count: the most to read.
            before: the id of an event: only older ones.
        """
        home = self._home()
        if home is None:
            return []
        last = "+" if before is None else f"({before}"
        entries = await home.connection.execute("XREVRANGE", audit_of(home.keys.prefix), last, "-", "COUNT", count)
        return [_event(entry_id.decode(), fields[1]) for entry_id, fields in entries]


def _event(entry_id: str, encoded: bytes) -> AuditEvent:
    stored = decode(encoded)
    at_ms = int(entry_id.partition("-")[0])
    known = {name: stored.get(name) for name in ("queue", "job")}
    outcome: Outcome = stored.get("outcome") if stored.get("outcome") in {"done", "refused", "failed"} else "failed"
    return AuditEvent(
        who=str(stored.get("who")),
        action=str(stored.get("action")),
        outcome=outcome,
        note=str(stored.get("note") or ""),
        id=entry_id,
        at_ms=at_ms,
        **known,
    )
