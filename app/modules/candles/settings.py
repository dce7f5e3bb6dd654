"""What prices are folded into, from the environment."""

from typing import Annotated

from pydantic import Field

from bullworks.settings import DAY_MS, Settings


class CandlesSettings(Settings):
    """Settings of candles: interval and retention."""

    candles_interval_ms: Annotated[int, Field(ge=1_000, le=DAY_MS)] = Field(
        default=60_000, description="whole milliseconds, from a second to a day: the length of a candle"
    )
    candles_keep: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1_440, description="how many candles of a symbol are kept"
    )
