"""OutboxModule: the outbox of an application, for all of its queues."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from bullworks.bullmq import Duration, Queue
from bullworks.core import Discovery, ModuleContainer, Token, dynamic_module, provide
from bullworks.outbox.outbox import DAY_MS, Outbox
from bullworks.workers.tokens import QueueToken


class OutboxKeeper:
    """Gives the outbox the queues that BullModule registered, and runs its relay while the application runs."""

    def __init__(self, outbox: Outbox, discovery: Discovery, *, relays: bool) -> None:
        self._outbox = outbox
        self._discovery = discovery
        self._relays = relays

    def on_module_init(self) -> None:
        """Gather the queues."""
        for provider in self._discovery.providers():
            # by its true class: what a test put in a queue's place has no jobs in Redis
            is_real = provider.made_from is not None and issubclass(provider.made_from, Queue)
            if isinstance(provider.token, QueueToken) and is_real and isinstance(provider.instance, Queue):
                self._outbox.know(provider.instance)

    def on_application_start(self) -> None:
        """Start the relay."""
        if self._relays:
            self._outbox.start()

    async def on_application_disconnect(self) -> None:
        """Stop the relay: after the work that may still have written rows."""
        await self._outbox.close()


class OutboxModule:
    """Import `for_root()` once, beside `BullModule.for_root()`; `Outbox` is then injected in every module."""

    @classmethod
    def for_root(
        cls,
        *,
        engine: Engine | AsyncEngine | Token[Any],
        remember: Duration = DAY_MS,
        poll: Duration = 1_000,
        relay: bool = True,
        imports: Sequence[Any] = (),
    ) -> ModuleContainer:
        """Provide the Outbox, for every queue that a module registers.

        Args:
            engine: of Postgres or SQLite, or the token of one that `imports` export; not disposed of here.
            remember: for how long a queue knows the rows it was given, >= 1 ms; see docs/outbox.md.
            poll: how often to look for rows of which nobody told this process, >= 1 ms.
            relay: False means this process only writes rows, and others move them.
            imports: modules that the engine comes from.

        Raises:
            UnsupportedDatabaseError: the engine is for another database; with a token, when the application is built.
        """

        def make(given: Engine | AsyncEngine) -> Outbox:
            return Outbox(given, remember=remember, poll=poll)

        def keep(outbox: Outbox, discovery: Discovery) -> OutboxKeeper:
            return OutboxKeeper(outbox, discovery, relays=relay)

        if isinstance(engine, Token):
            outbox = provide(Outbox, use_factory=make, inject=[engine])
        else:
            outbox = provide(Outbox, use_value=make(engine))
        return dynamic_module(
            cls,
            imports=imports,
            providers=[outbox, provide(OutboxKeeper, use_factory=keep, inject=[Outbox, Discovery])],
            exports=[Outbox],
            is_global=True,
        )
