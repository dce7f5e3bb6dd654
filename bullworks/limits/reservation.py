"""Reservation: a cost that a limit has granted."""

import logging

from bullworks.limits.errors import InvalidLimitError
from bullworks.limits.limit_scripts import LimitScripts
from bullworks.redis import RedisError

log = logging.getLogger(__name__)


class Reservation:
    """A cost that counts in its limit's windows since it was granted. It does not have to be released.

    It leaves each window when that window's time has passed, whatever becomes of its holder.

    Attributes:
        name: of the limit.
        key: of the limit; "" for the limit as a whole.
        cost: the cost that was reserved.
        granted_at_us: by Redis's clock, us since the epoch.
        is_settled: `settle` was called.
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
        """Report what the work really cost: once, as soon as it is known.

        What was reserved beyond it is free at once. What was spent beyond the reservation counts from now on.

        Args:
            spent: 0 or more; 0 where the work was not done.

        Returns:
            False if it was settled before, or if Redis could not be reached: what was reserved then goes on counting.

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
    """Check a user's cost. Raises InvalidLimitError: not a whole number, `least` or more."""
    if isinstance(cost, bool) or not isinstance(cost, int) or cost < least:
        raise InvalidLimitError(name, f"a cost is a whole number, {least} or more, not {cost!r}")
    return cost
