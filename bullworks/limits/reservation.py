"""Reservation: what a limit has granted, until it is settled."""

import logging

from bullworks.limits.errors import InvalidLimitError
from bullworks.limits.limit_scripts import LimitScripts
from bullworks.redis import RedisError

log = logging.getLogger(__name__)


class Reservation:
    """A cost that counts in its limit's windows since it was granted. Nothing has to be done at the end of the work.

    Whatever becomes of its holder, it leaves each window by itself, when that window's time has passed.

    Attributes:
        name: of the limit.
        key: of the limit; "" for the limit as a whole.
        cost: that was reserved.
        granted_at_us: by Redis's clock, us since the epoch.
        is_settled: what was spent has been said.
    """

    def __init__(self, scripts: LimitScripts, name: str, key: str, cost: int, granted_at_us: int) -> None:
        self.name = name
        self.key = key
        self.cost = cost
        self.granted_at_us = granted_at_us
        self.is_settled = False
        self._scripts = scripts

    def __repr__(self) -> str:
        return f"<Reservation of {self.cost} in limit {self.name!r}{f', key {self.key!r}' if self.key else ''}>"

    async def settle(self, spent: int) -> bool:
        """Say what the work really cost: once, as soon as it is known.

        What was reserved beyond it is free at once, where it still counts. What was spent beyond the reservation
        counts from now on, and makes others wait for longer.

        Args:
            spent: 0 or more; 0 where the work was not done.

        Returns:
            False: it was settled before; or Redis could not be reached, and what was reserved goes on counting.

        Raises:
            InvalidLimitError: not a whole number, 0 or more.
        """
        checked_cost(self.name, spent, 0)
        if self.is_settled:
            return False
        self.is_settled = True
        if spent == self.cost:
            return True
        try:
            # Once only: were it repeated after a lost reply, more might be given back than was reserved.
            await self._scripts.settle(self.key, self.granted_at_us, self.cost, spent)
        except RedisError as error:
            log.warning("limit %s: %d reserved goes on counting, %d was spent: %s", self.name, self.cost, spent, error)
            return False
        return True


def checked_cost(name: str, cost: object, least: int) -> int:
    """A cost that a user gave. Raises InvalidLimitError: not a whole number, `least` or more."""
    if isinstance(cost, bool) or not isinstance(cost, int) or cost < least:
        raise InvalidLimitError(name, f"a cost is a whole number, {least} or more, not {cost!r}")
    return cost
