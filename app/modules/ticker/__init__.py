"""Prices, fetched every ten seconds."""

from app.modules.ticker.errors import TickerSourceError
from app.modules.ticker.module import TickerModule
from app.modules.ticker.service import TickerService
from app.modules.ticker.source import TickerSource
from app.modules.ticker.tick import Tick

__all__ = ["Tick", "TickerModule", "TickerService", "TickerSource", "TickerSourceError"]
