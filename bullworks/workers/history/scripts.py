"""What the history does in Redis, one typed function per Lua file."""

from bullworks.redis import Argument, PipelinedConnection, Script
from bullworks.workers.history.keys import TIERS, HistoryKeys, lives_ms
from bullworks.workers.history.tally import Tally

_RECORD = Script.load("bullworks.workers.history", "record")
_OLDEST_WAITING = Script.load("bullworks.workers.history", "oldest_waiting")


async def record(connection: PipelinedConnection, keys: HistoryKeys, queue: str, minute_ms: int, tally: Tally) -> None:
    """Add counts to a minute, its hour, its day and all time, of the queue and of all queues together.

    Raises:
        ServerError: nothing was written.
        ConnectionLostError: it may have been.
    """
    minute, hour, day = (keys.place(queue, tier, minute_ms) for tier in TIERS)
    totals = (keys.place(None, tier, minute_ms).key for tier in TIERS)
    where = (minute.key, hour.key, day.key, keys.ever(queue), *totals, keys.ever(None), keys.queues)
    lives = (lives_ms(tier) for tier in TIERS)
    said: list[Argument] = [tally.encode(), minute.field, hour.field, day.field, *lives, minute_ms, queue]
    await connection.run(_RECORD, where, said)


async def oldest_waiting(connection: PipelinedConnection, base: str) -> tuple[int | None, int]:
    """Read how long the oldest ready job has waited, ms, and Redis's time, ms since the epoch.

    None means no job waits, or the queue is paused.

    Args:
        base: what the queue's keys begin with.
    """
    since_ms, now_ms = await connection.run(_OLDEST_WAITING, (base,), [])
    return (None if since_ms < 0 else now_ms - since_ms), now_ms
