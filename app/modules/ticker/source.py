"""Where prices come from."""

from abc import ABC, abstractmethod

from app.modules.ticker.tick import Tick


class TickerSource(ABC):
    """A source of current prices. TICKER_SOURCE_URL chooses a service's source; a test provides its own."""

    @abstractmethod
    async def fetch(self) -> list[Tick]:
        """Fetch one tick for each symbol.

        Raises:
            TickerSourceError: there are none this time.
        """

    async def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Close connections, if there are any."""
