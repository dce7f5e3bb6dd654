"""Where prices come from."""

from abc import ABC, abstractmethod

from app.modules.ticker.tick import Tick


class TickerSource(ABC):
    """Gives the prices of now. TICKER_SOURCE_URL decides which one a service has; a test provides its own."""

    @abstractmethod
    async def fetch(self) -> list[Tick]:
        """One tick a symbol.

        Raises:
            TickerSourceError: there are none this time.
        """

    async def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of connections, if there are any."""
