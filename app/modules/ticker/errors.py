"""Why there are no new prices. No text here holds the source's URL: a key may be in it."""

from dataclasses import dataclass

from bullworks.errors import FactError


@dataclass(eq=False)
class TickerSourceError(FactError):
    """The source returned no prices this time."""

    host: str
    reason: str

    def __str__(self) -> str:
        return f"no prices from {self.host}: {self.reason}"
