"""LockRenewer: keeps the locks of running jobs, off the event loop.

A handler that blocks the loop would block renewal on it too, its lock would expire and its job run twice. So one
thread per process renews the locks of all workers, with a blocking client of its own. A call that holds the GIL for
longer than the lock is the limit of this.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import redis

from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.scripts.worker import extend_locks
from bullworks.bullmq.telemetry.names import TelemetryAttributes
from bullworks.bullmq.telemetry.tracing import Tracing, trace
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import RedisError

log = logging.getLogger(__name__)

# How often the thread looks: at due leases, and whether the loops still turn.
_TICK_S = 1.0
_BLOCK_WARNING_S = 5.0


@dataclass(slots=True, eq=False)
class Lease:
    """One worker's locks, for the thread to renew.

    Attributes:
        locks: job id -> token; changed by the loop, copied by the thread.
        lock_ms: what a lock is renewed to; renew_ms: how often.
        max_loop_block_s: with the loop not turning for so long, its jobs are given up to other workers.
        on_renewed, on_lost: called on the loop, with job ids.
        tracing: of the worker, where it is observed; also from the thread.
    """

    endpoint: Endpoint
    keys: QueueKeys
    locks: dict[str, str]
    lock_ms: int
    renew_ms: int
    max_loop_block_s: float
    loop: asyncio.AbstractEventLoop
    on_renewed: Callable[[list[str]], None]
    on_lost: Callable[[list[str], str], None]
    tracing: Tracing | None = None
    due_s: float = 0.0
    loop_turned_s: float = field(default_factory=time.monotonic)
    has_warned: bool = False

    def turned(self) -> None:
        """Called on the loop: it turns."""
        self.loop_turned_s = time.monotonic()
        self.has_warned = False


class LockRenewer:
    """The thread; it lives while there are leases."""

    def __init__(self) -> None:
        self._leases: set[Lease] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._clients: dict[tuple[Endpoint, int | None], redis.Redis] = {}

    def add(self, lease: Lease) -> None:
        lease.due_s = time.monotonic() + lease.renew_ms / 1000
        with self._changed:
            self._leases.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="bullworks-lock-renewer", daemon=True)
                self._thread.start()

    def remove(self, lease: Lease) -> None:
        with self._changed:
            self._leases.discard(lease)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._leases:
                    self._thread = None
                    break
                soonest_s = min(lease.renew_ms for lease in self._leases) / 2000
                self._changed.wait(min(_TICK_S, soonest_s))
                leases = list(self._leases)
            now_s = time.monotonic()
            for lease in leases:
                self._look_at(lease, now_s)
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _look_at(self, lease: Lease, now_s: float) -> None:
        try:
            lease.loop.call_soon_threadsafe(lease.turned)
        except RuntimeError:  # the loop was closed under its worker
            self.remove(lease)
            return
        blocked_s = now_s - lease.loop_turned_s
        if blocked_s > _BLOCK_WARNING_S and lease.locks and not lease.has_warned:
            lease.has_warned = True
            log.warning(
                "the event loop has not turned for %.1f s; a handler blocks it. Make that handler a plain "
                "function, which runs in a thread, or await asyncio.to_thread(...)",
                blocked_s,
                extra={"queue": lease.keys.name},
            )
        if now_s < lease.due_s or blocked_s > lease.max_loop_block_s:
            return
        locks = lease.locks.copy()
        if not locks:
            lease.due_s = now_s + lease.renew_ms / 1000
            return
        self._renew(lease, locks, now_s)

    def _renew(self, lease: Lease, locks: dict[str, str], now_s: float) -> None:
        try:
            attributes = {TelemetryAttributes.WORKER_JOBS_TO_EXTEND_LOCKS: list(locks)}
            with trace(lease.tracing, "extendLocks", attributes=attributes):
                lost = extend_locks(self._client(lease), lease.keys, lease.lock_ms, locks)
        except (redis.RedisError, RedisError, OSError) as error:
            # Again with the next tick: half of the lock's life is left for that.
            self._forget_client(lease)
            problem = str(error)
            log.warning("queue %s: locks could not be renewed: %s", lease.keys.name, problem)
            self._tell(lease, lambda: lease.on_lost([], problem))
            return
        lease.due_s = now_s + lease.renew_ms / 1000
        # A job may have ended, and its lock gone, since the copy was made.
        really_lost = [job_id for job_id in lost if lease.locks.get(job_id) == locks[job_id]]
        renewed = [job_id for job_id in locks if job_id not in lost]
        self._tell(lease, lambda: lease.on_renewed(renewed))
        if really_lost:
            self._tell(lease, lambda: lease.on_lost(really_lost, "expired, or taken by another worker"))

    def _client(self, lease: Lease) -> redis.Redis:
        endpoint, key = lease.endpoint, lease.keys.base
        server = (endpoint, endpoint.slot_of(key))
        client = self._clients.get(server)
        if client is None:
            client = self._clients[server] = endpoint.sync_client(key=key)
        return client

    def _forget_client(self, lease: Lease) -> None:
        """The next one finds the server anew: another may be the master by now, or have the queue's slot."""
        client = self._clients.pop((lease.endpoint, lease.endpoint.slot_of(lease.keys.base)), None)
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
