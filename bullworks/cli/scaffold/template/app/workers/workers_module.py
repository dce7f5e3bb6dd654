"""WorkersModule: what works in the background here. A new worker is one more line in `providers`."""

from typing import Unpack

from bullworks.core import ModuleContainer, dynamic_module
from bullworks.workers import BullModule, BullOptions

from app.modules.greetings import GreetingsModule
from app.workers.greetings_worker import GreetingsWorker


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
                BullModule.register_queue("greetings"),
                GreetingsModule,
            ],
            providers=[GreetingsWorker],
        )
