"""The crons of this feature."""

import logging

from app.modules.ticker.errors import TickerSourceError
from app.modules.ticker.service import TickerService
from app.modules.ticker.source import TickerSource
from bullworks.core import injectable
from bullworks.schedule import CronExpression, cron

log = logging.getLogger(__name__)


@injectable()
class TickerWorker:
    """Fetches prices, and cleans up at midnight: in one process of the fleet each time."""

    def __init__(self, source: TickerSource, tickers: TickerService) -> None:
        self.source = source
        self.tickers = tickers

    @cron(CronExpression.EVERY_10_SECONDS, name="update-tickers", distributed=True)
    async def update_tickers(self) -> None:
        """Fetch and store prices. An unreachable source is asked again in ten seconds."""
        try:
            ticks = await self.source.fetch()
        except TickerSourceError as error:
            log.warning("tickers not updated: %s", error)
            return
        await self.tickers.update(ticks)
        log.debug("%d tickers updated", len(ticks))

    @cron("0 0 * * *", name="clean-up-tickers", distributed=True)
    async def daily_cleanup(self) -> None:
        """Remove outdated symbols."""
        forgotten = await self.tickers.clean_up()
        log.info("%d tickers without a recent price were removed", forgotten)
