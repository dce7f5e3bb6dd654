"""Whether this process records what its workers do."""

from pydantic import Field

from bullworks.settings import Settings


class HistorySettings(Settings):
    """Settings of the history: whether this process records its workers."""

    history_enabled: bool = Field(
        default=True, description="true, or false: what workers do is not kept for charts and metrics"
    )
