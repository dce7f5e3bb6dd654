"""Candles: what prices did within a minute."""

from app.modules.candles.candle import Candle
from app.modules.candles.module import CandlesModule
from app.modules.candles.store import CandleStore

__all__ = ["Candle", "CandleStore", "CandlesModule"]
