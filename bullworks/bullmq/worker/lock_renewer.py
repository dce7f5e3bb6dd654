"""LockRenewer: keeps the locks of running jobs, off the event loop.

A handler that blocks the loop would block renewal on it too, its lock would expire and its job run twice. So threads
renew the locks of all workers, one for each server, so that one which hangs costs no other's locks. A call that holds
the GIL for longer than the lock is the limit of this.
"""

import asyncio
import logging
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import redis

from bullworks.bullmq.cancel.terms import CancelRequest
from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.worker import extend_locks
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.redis import Endpoint, RedisError

log = logging.getLogger(__name__)

# How often a thread looks: at due leases, and whether the loops still turn.
_TICK_S = 1.0
_BLOCK_WARNING_S = 5.0
# A thread that wakes so much too late was frozen with its whole process: no handler is to blame.
_FROZEN_S = 1.0
# Well below half of a lock, so that there is time for another try; a server that takes longer is out of reach.
_PATIENCE_OF_LOCK = 8
_LEAST_PATIENCE_MS = 100
_MOST_PATIENCE_MS = 2_000


class LockHolder(Protocol):
    """Owner of renewed locks; notified on its event loop, never in the renewer's thread."""

    @abstractmethod
    def locks_renewed(self, job_ids: list[str]) -> None:
        """Note that the locks of these jobs were renewed."""

    @abstractmethod
    def locks_lost(self, job_ids: list[str], reason: str) -> None:
        """Note that the locks of these jobs are lost; no ids: the server could not be asked, and will be again."""

    @abstractmethod
    def cancelled(self, request: CancelRequest) -> None:
        """Cancel the handler of a job that was cancelled from elsewhere."""


@dataclass(slots=True, eq=False)
class Lease:
    """The locks of one worker, for the renewal thread.

    Attributes:
        locks: job id -> token; changed by the loop, copied by the thread.
        lock_ms: what a lock is renewed to; renew_ms: how often.
        due_s: when they are to be renewed next.
        asked_s: since when the loop owes an answer to whether it turns; None: it has answered.
        max_loop_block_s: with the loop not turning for so long, its jobs are given up to other workers.
        holder: told what came of it.
        tracing: of the worker, where it is observed; also from the thread.
    """

    endpoint: Endpoint
    keys: QueueKeys
    locks: dict[str, str]
    lock_ms: int
    renew_ms: int
    max_loop_block_s: float
    loop: asyncio.AbstractEventLoop
    holder: LockHolder
    tracing: Tracing | None = None
    due_s: float = 0.0
    asked_s: float | None = None
    has_warned: bool = False

    @property
    def server(self) -> tuple[Endpoint, int | None]:
        """The key that identifies the server holding the locks."""
        return self.endpoint, self.endpoint.slot_of(self.keys.base)

    @property
    def patience_ms(self) -> int:
        """How long a renewal may wait for Redis, ms."""
        return min(max(self.lock_ms // _PATIENCE_OF_LOCK, _LEAST_PATIENCE_MS), _MOST_PATIENCE_MS)

    def turned(self) -> None:
        """Note, on the event loop, that the loop is running."""
        self.asked_s = None
        self.has_warned = False


class LockRenewer:
    """Renews locks in threads, one for each server; a thread lives while there are leases for its server."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._servers: dict[tuple[Endpoint, int | None], _ServerRenewer] = {}

    def add(self, lease: Lease) -> None:
        lease.due_s = time.monotonic() + lease.renew_ms / 1000
        with self._guard:
            for server in [key for key, renewer in self._servers.items() if not renewer.is_needed]:
                del self._servers[server]
            if lease.server not in self._servers:
                self._servers[lease.server] = _ServerRenewer()
            self._servers[lease.server].add(lease)

    def remove(self, lease: Lease) -> None:
        with self._guard:
            renewer = self._servers.get(lease.server)
        if renewer is not None:
            renewer.remove(lease)


class _ServerRenewer:
    """The thread for one server."""

    def __init__(self) -> None:
        self._leases: set[Lease] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._client: redis.Redis | None = None
        self._client_patience_ms = 0

    @property
    def is_needed(self) -> bool:
        return bool(self._leases)

    def add(self, lease: Lease) -> None:
        with self._changed:
            self._leases.add(lease)
            self._changed.notify_all()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="bullworks-lock-renewer", daemon=True)
                self._thread.start()

    def remove(self, lease: Lease) -> None:
        with self._changed:
            self._leases.discard(lease)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            try:
                if not self._turn():
                    return
            except BaseException:
                # Without this thread every lock would run out, and nothing would tell.
                log.exception("renewing locks failed; continuing")
                self._forget_client()
                time.sleep(_TICK_S / 10)

    def _turn(self) -> bool:
        """Wait for the next tick, and see to all leases. False: there are none any more."""
        with self._changed:
            if not self._leases:
                self._thread = None
                self._forget_client()
                return False
            wait_s = min(_TICK_S, min(lease.renew_ms for lease in self._leases) / 2000)
            begun_s = time.monotonic()
            self._changed.wait(wait_s)
            leases = list(self._leases)
        was_frozen = time.monotonic() - begun_s > wait_s + _FROZEN_S
        is_reachable = True
        for lease in leases:
            if was_frozen and lease.asked_s is not None:
                lease.asked_s = time.monotonic()
            if self._may_renew(lease) and is_reachable:
                # One answer too late is enough: the others would wait for theirs one after the other.
                is_reachable = self._renew(lease, lease.locks.copy())
        return True

    def _may_renew(self, lease: Lease) -> bool:
        """Whether its locks are due, and its loop turns."""
        if lease.loop.is_closed():  # under its worker
            self.remove(lease)
            return False
        now_s = time.monotonic()
        blocked_s = 0.0 if lease.asked_s is None else now_s - lease.asked_s
        if lease.asked_s is None:
            lease.asked_s = now_s
            self._tell(lease, lease.turned)
        if blocked_s > _BLOCK_WARNING_S and lease.locks and not lease.has_warned:
            lease.has_warned = True
            self._warn(lease, blocked_s)
        if now_s < lease.due_s or blocked_s > lease.max_loop_block_s:
            return False
        if not lease.locks:
            lease.due_s = now_s + lease.renew_ms / 1000
        return bool(lease.locks)

    @staticmethod
    def _warn(lease: Lease, blocked_s: float) -> None:
        if lease.loop.is_running():
            cause = (
                "a handler is blocking it. Make that handler a plain function, which runs in a thread, or await "
                "asyncio.to_thread(...)"
            )
        else:
            cause = "it was stopped while the worker had jobs; close the worker first"
        extra = {"queue": lease.keys.name}
        log.warning("the event loop was blocked for %.1f s; %s", blocked_s, cause, extra=extra)

    def _renew(self, lease: Lease, locks: dict[str, str]) -> bool:
        """False: Redis could not be asked."""
        try:
            attributes = {TelemetryAttributes.WORKER_JOBS_TO_EXTEND_LOCKS: list(locks)}
            with trace(lease.tracing, "extendLocks", attributes=attributes):
                lost, cancelled = extend_locks(self._client_for(lease), lease.keys, lease.lock_ms, locks)
        except (redis.RedisError, RedisError, OSError) as error:
            # Again with the next tick: half of the lock's life is left for that, and then it may be taken back.
            self._forget_client()
            problem = str(error)
            log.warning("queue %s: locks could not be renewed: %s", lease.keys.name, problem)
            self._tell(lease, lambda: lease.holder.locks_lost([], problem))
            return False
        lease.due_s = time.monotonic() + lease.renew_ms / 1000
        # A job may have ended, and its lock gone, since the copy was made.
        really_lost = [job_id for job_id in lost if lease.locks.get(job_id) == locks[job_id]]
        renewed = [job_id for job_id in locks if job_id not in lost]
        self._tell(lease, lambda: lease.holder.locks_renewed(renewed))
        for request in cancelled:
            self._tell(lease, partial(lease.holder.cancelled, request))
        if really_lost:
            self._tell(lease, lambda: lease.holder.locks_lost(really_lost, "expired, or taken by another worker"))
        return True

    def _client_for(self, lease: Lease) -> redis.Redis:
        with self._changed:
            patience_ms = min((lease.patience_ms for lease in self._leases), default=_MOST_PATIENCE_MS)
        if self._client_patience_ms != patience_ms:
            self._forget_client()
        if self._client is None:
            self._client = lease.endpoint.sync_client(key=lease.keys.base, timeout_ms=patience_ms)
            self._client_patience_ms = patience_ms
        return self._client

    def _forget_client(self) -> None:
        """The next one finds the server anew: another may be the master by now, or have the queue's slot."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @staticmethod
    def _tell(lease: Lease, callback: Callable[[], None]) -> None:
        try:
            lease.loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the loop was closed meanwhile
            log.debug("queue %s: the loop is closed", lease.keys.name)


RENEWER = LockRenewer()
"""Of this process."""
