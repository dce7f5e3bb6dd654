"""The names of this feature's keys in Redis; nothing else spells one. On a Cluster those of a symbol lie together."""


class CandleKeys:
    """The Redis keys of one symbol's candles of one interval length."""

    __slots__ = ("starts", "values")

    def __init__(self, symbol: str, interval_ms: int) -> None:
        base = f"bullworks:candles:{{{symbol}}}:{interval_ms}"
        self.starts = f"{base}:starts"
        self.values = f"{base}:values"
