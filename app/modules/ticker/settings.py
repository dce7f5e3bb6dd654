"""Where prices come from, from the environment."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bullworks.settings import HttpUrl, Listed, Milliseconds, Settings


def _symbols(symbols: tuple[str, ...]) -> tuple[str, ...]:
    if any(not symbol.isprintable() or set("{}") & set(symbol) for symbol in symbols):
        raise ValueError("a symbol is printable and has no { or }")
    return symbols


class TickerSettings(Settings):
    """Settings of the ticker: its source and retention."""

    ticker_source_url: HttpUrl | None = Field(
        default=None, description="as in https://api.example.com/prices; unset: prices are random"
    )
    ticker_timeout_ms: Milliseconds = Field(
        default=5_000, description="whole milliseconds: how long the source may take"
    )
    ticker_symbols: Annotated[Listed, AfterValidator(_symbols)] = Field(
        default=("BTC-USD", "ETH-USD"),
        description="names with commas between them, for which random prices are generated",
    )
    ticker_keep_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=7, description="whole days, after which a symbol without a new price is removed"
    )
