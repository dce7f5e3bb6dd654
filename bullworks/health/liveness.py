"""Liveness: whether restarting this process would help."""

import logging
import time
from collections.abc import Iterator
from typing import Annotated

from bullworks.core import Inject
from bullworks.health.options import HEALTH_SETUP, HealthSetup
from bullworks.workers import WorkerFleet

log = logging.getLogger(__name__)


class Liveness:
    """Checks, if asked to, that no job of this process has run for longer than a limit.

    That the event loop turns need not be checked: whoever gets an answer knows it.
    """

    def __init__(self, setup: Annotated[HealthSetup, Inject(HEALTH_SETUP)], fleet: WorkerFleet) -> None:
        self._max_run_ms = setup.max_run_ms
        self._fleet = fleet
        self._logged: set[str] = set()

    def is_alive(self) -> bool:
        """Whether the process is alive; each job that has run for too long is logged once."""
        if not self._max_run_ms:
            return True
        hung = dict(self._hung_jobs(time.time_ns() // 1_000_000))
        for name, text in hung.items():
            if name not in self._logged:
                log.error("not alive: %s", text)
        self._logged = set(hung)
        return not hung

    def _hung_jobs(self, now_ms: int) -> Iterator[tuple[str, str]]:
        for worker in self._fleet.workers:
            for job in worker.active_jobs:
                ran_ms = now_ms - (job.processed_on or now_ms)
                if ran_ms > self._max_run_ms:
                    name = f"job {job.id} of queue {worker.queue_name}"
                    yield name, f"{name} has run for {ran_ms / 1000:.0f} s, more than HEALTH_MAX_RUN_MS allows"
