"""WorkersRegistrar: starts workers when an application says so."""

from bullworks.workers.fleet import WorkerFleet


class WorkersRegistrar:
    """Starts workers and listeners by hand, with `BullModule.for_root(manual_registration=True)`; injectable."""

    def __init__(self, fleet: WorkerFleet) -> None:
        self._fleet = fleet

    async def register(self) -> None:
        """Create the selected workers and all listeners, and start them once the application has started.

        Whoever asks again changes nothing.

        Raises:
            WorkersError, ExceptionGroup: one thing, or several, that is wrong with processors, listeners or queues.
            ConnectError: Redis cannot be reached within its connect timeout, or refuses this client.
            ApplicationStateError: the application is closing.
        """
        await self._fleet.register()
