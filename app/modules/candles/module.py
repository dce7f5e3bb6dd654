"""The module of this feature."""

from app.modules.candles.store import CandleStore
from bullworks.core import module, provide
from bullworks.settings import CandlesSettings, Settings


def _candles_settings() -> CandlesSettings:
    return Settings.load().candles


@module(
    providers=[CandleStore, provide(CandlesSettings, use_factory=_candles_settings)],
    exports=[CandleStore],
)
class CandlesModule:
    """CandleStore: the candles of each symbol."""
