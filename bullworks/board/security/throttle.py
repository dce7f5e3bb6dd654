"""LoginThrottle: how many wrong passwords and tokens one client may send."""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass

from bullworks.board.errors import RefusedError

MOST_FAILURES = 10
"""Of one client within WINDOW_S; then its credentials are not looked at until the window has passed."""
WINDOW_S = 60.0
MOST_CLIENTS = 4_096
"""Remembered, about 1 MB: the one that failed longest ago is forgotten first."""


@dataclass(slots=True)
class _Failures:
    count: int
    until_s: float


class LoginThrottle:
    """Counts failed logins by client address, in bounded memory."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def check(self, client: str) -> None:
        """Let a client try.

        Raises:
            RefusedError: 429, it failed too often; right credentials are refused as well, so that nothing is learnt.
        """
        failures, now_s = self._failures.get(client), time.monotonic()
        if failures is None or failures.count < MOST_FAILURES or failures.until_s <= now_s:
            return
        wait_s = math.ceil(failures.until_s - now_s)
        message = f"too many failed logins; try again in {wait_s} s"
        raise RefusedError(429, "FORBIDDEN", message, code="THROTTLED", headers={"Retry-After": str(wait_s)})

    def failed(self, client: str) -> None:
        """Count a failed login."""
        now_s = time.monotonic()
        failures = self._failures.pop(client, None)
        if failures is None or failures.until_s <= now_s:
            failures = _Failures(0, now_s + WINDOW_S)
        failures.count += 1
        self._failures[client] = failures
        if len(self._failures) > MOST_CLIENTS:
            self._failures.popitem(last=False)
