"""The composition root: what this service is made of."""

from app.board import BoardModule
from app.core import module
from app.health import HealthModule
from app.modules.candles import CandlesModule
from app.modules.email import EmailModule
from app.modules.sync import SyncModule
from app.modules.ticker import TickerModule
from app.modules.users import UsersModule
from app.web import WebModule
from app.workers import WorkersModule
from app.workers.history import HistoryModule
from app.workers.presence import PresenceModule


@module(
    imports=[
        WorkersModule.for_root(),
        HistoryModule.for_root(),
        PresenceModule.for_root(),
        WebModule.for_root(),
        HealthModule.for_root(),
        BoardModule.for_root(),
        EmailModule,
        UsersModule,
        TickerModule,
        CandlesModule,
        SyncModule,
    ]
)
class AppModule:
    """Workers and queues, what watches them, and one module a feature. A new feature is one more entry here."""
