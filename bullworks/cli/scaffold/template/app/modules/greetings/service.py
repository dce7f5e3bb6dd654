"""What can be done with greetings."""

from typing import Annotated

from bullworks.bullmq import Queue
from bullworks.core import injectable
from bullworks.workers import InjectQueue

from app.modules.greetings.settings import GreetingSettings


@injectable()
class GreetingService:
    """Queues greetings, and writes them when their jobs run."""

    def __init__(self, queue: Annotated[Queue, InjectQueue("greetings")], settings: GreetingSettings) -> None:
        self.queue = queue
        self.settings = settings

    async def send(self, name: str) -> None:
        """Queue a greeting and return; it is tried up to three times, a second apart, then two."""
        await self.queue.add(
            "greet",
            {"name": name},
            attempts=3,
            backoff={"type": "exponential", "delay": 1_000},
            remove_on_complete={"count": 1_000},
            remove_on_fail={"count": 1_000},
        )

    def write(self, name: str) -> str:
        """Write the greeting for a name."""
        return f"{self.settings.greeting}, {name}!"
