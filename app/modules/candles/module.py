"""The module of this feature."""

from app.modules.candles.settings import CandlesSettings
from app.modules.candles.store import CandleStore
from bullworks.core import module


@module(
    providers=[CandleStore, CandlesSettings],
    exports=[CandleStore],
)
class CandlesModule:
    """Provides CandleStore: the candles of each symbol."""
