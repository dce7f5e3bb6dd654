"""Lease: a connection that is used, and whether its user has to close it."""

from bullworks.redis.pipelined import PipelinedConnection


class Lease:
    """A right to use a connection, until it is ended.

    Args:
        is_own: it was made for this user, who closes it; otherwise it stays open.
    """

    __slots__ = ("connection", "is_own")

    def __init__(self, connection: PipelinedConnection, *, is_own: bool) -> None:
        self.connection = connection
        self.is_own = is_own

    async def end(self) -> None:
        """Close the connection if it is the user's own. Ending twice is fine."""
        if self.is_own:
            await self.connection.close()
