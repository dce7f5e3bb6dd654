"""Why there are no new prices. No text here holds the source's URL: a key may be in it."""


class TickerSourceError(Exception):
    """The source returned no prices this time."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(host, reason)
        self.host = host
        self.reason = reason

    def __str__(self) -> str:
        return f"no prices from {self.host}: {self.reason}"
