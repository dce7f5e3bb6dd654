"""The composition root: what this service is made of."""

from app.modules.users import UsersModule
from app.workers.workers_module import WorkersModule
from bullworks.board import BoardModule
from bullworks.core import module
from bullworks.health import HealthModule
from bullworks.web import WebModule
from bullworks.workers.history import HistoryModule
from bullworks.workers.presence import PresenceModule


@module(
    imports=[
        WorkersModule.for_root(),
        HistoryModule.for_root(),
        PresenceModule.for_root(),
        WebModule.for_root(),
        HealthModule.for_root(),
        BoardModule.for_root(),
        UsersModule,
    ]
)
class AppModule:
    """The service's root module: workers and queues, the board and health checks, one module per feature."""
