"""What is synced, from the environment."""

from pydantic import Field

from bullworks.settings import HttpUrl, Milliseconds, Settings


class SyncSettings(Settings):
    """Settings of the sync: its source."""

    sync_source_url: HttpUrl | None = Field(
        default=None, description="as in https://api.example.com/data; unset: nothing is fetched"
    )
    sync_timeout_ms: Milliseconds = Field(
        default=30_000, description="whole milliseconds: how long the source may take"
    )
