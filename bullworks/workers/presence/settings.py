"""Whether this process reports its workers to the board."""

from pydantic import Field

from bullworks.settings import Settings


class PresenceSettings(Settings):
    """Settings of heartbeats: whether this process reports its workers to the board."""

    presence_enabled: bool = Field(
        default=True, description="true, or false: the board does not see this process's workers"
    )
