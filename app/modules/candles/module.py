"""The module of this feature."""

from app.core import module, provide
from app.modules.candles.store import CandleStore
from app.modules.candles.worker import CandlesWorker
from app.settings import CandlesSettings, Settings
from app.workers import WorkersModule


def _candles_settings() -> CandlesSettings:
    return Settings.load().candles


@module(
    imports=[WorkersModule.register_queue("candles")],
    providers=[CandlesWorker, CandleStore, provide(CandlesSettings, use_factory=_candles_settings)],
    exports=[CandleStore],
)
class CandlesModule:
    """The queue `candles`, its worker, and CandleStore for features that show candles."""
