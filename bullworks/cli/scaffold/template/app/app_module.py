"""The composition root: what this service is made of."""

from bullworks.board import BoardModule
from bullworks.core import module
from bullworks.health import HealthModule
from bullworks.web import WebModule
from bullworks.workers.history import HistoryModule
from bullworks.workers.presence import PresenceModule

from app.workers.workers_module import WorkersModule


@module(
    imports=[
        WorkersModule.for_root(),
        HistoryModule.for_root(),
        PresenceModule.for_root(),
        WebModule.for_root(),
        HealthModule.for_root(),
        BoardModule.for_root(),
    ]
)
class AppModule:
    """Workers and queues, and what watches them. A feature that no worker needs is one more entry here."""
