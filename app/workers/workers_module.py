"""WorkersModule: what works in the background here. A new worker is one more line in `providers`."""

from typing_extensions import Unpack

from app.modules.candles import CandlesModule
from app.modules.email import EmailModule
from app.modules.sync import SyncModule
from app.modules.ticker import TickerModule
from app.workers.candles_worker import CandlesWorker
from app.workers.email_worker import EmailWorker
from app.workers.services.distributed_lock import DistributedLockService
from app.workers.sync_worker import SyncWorker
from app.workers.ticker_worker import TickerWorker
from bullworks.core import ModuleContainer, dynamic_module
from bullworks.workers import BullModule, BullOptions


class WorkersModule:
    """Queues, workers, schedules and locks of this service: a dependency-injector container."""

    @classmethod
    def for_root(cls, **options: Unpack[BullOptions]) -> ModuleContainer:
        """The module to import once, in the root module.

        Args:
            options: see `BullOptions`; what is left out comes from the settings.
        """
        return dynamic_module(
            cls,
            imports=[
                BullModule.for_root(**options),
                BullModule.register_queue("email", "ticker", "candles", "sync"),
                CandlesModule,
                EmailModule,
                SyncModule,
                TickerModule,
            ],
            providers=[
                CandlesWorker,
                EmailWorker,
                SyncWorker,
                TickerWorker,
            ],
            exports=[DistributedLockService],
        )
