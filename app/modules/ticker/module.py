"""The module of this feature."""

from collections.abc import AsyncIterator

from app.modules.ticker.random_walk import RandomWalk
from app.modules.ticker.service import TickerService
from app.modules.ticker.settings import TickerSettings
from app.modules.ticker.source import TickerSource
from app.modules.ticker.store import TickerStore
from bullworks.core import module, provide
from bullworks.workers import BullModule


async def _source(settings: TickerSettings) -> AsyncIterator[TickerSource]:
    source = _source_of(settings)
    yield source
    await source.close()


def _source_of(settings: TickerSettings) -> TickerSource:
    if settings.ticker_source_url is None:
        return RandomWalk(settings.ticker_symbols)
    from app.modules.ticker.http_source import HttpTickerSource  # importing httpx takes a tenth of a second

    timeout_s = settings.ticker_timeout_ms / 1000
    return HttpTickerSource(settings.ticker_source_url.get_secret_value(), timeout_s=timeout_s)


@module(
    imports=[BullModule.register_queue("candles")],
    providers=[
        TickerService,
        TickerStore,
        TickerSettings,
        provide(TickerSource, use_factory=_source),
    ],
    exports=[TickerService, TickerSource],
)
class TickerModule:
    """Provides TickerService, and the source of its prices."""
