"""FetchTerms: what every fetch of a worker says alike."""

from dataclasses import dataclass

from app.redis.pipelined import Argument

DEFAULT_LOCK_MS = 30_000


@dataclass(frozen=True, slots=True)
class FetchTerms:
    """As lua/fetch.lua and lua/advance.lua take them; '' for none.

    Attributes:
        most_points: a minute's points kept of completed and of failed jobs.
    """

    lock_ms: int = DEFAULT_LOCK_MS
    worker_name: str = ""
    limiter_max: int | str = ""
    limiter_duration_ms: int | str = ""
    most_points: int | str = ""

    def args(self, want: int, token: str, holds: int | str) -> list[Argument]:
        """Seven, for fetch.lua; advance.lua takes `most_points` besides."""
        return [
            want,
            token,
            self.lock_ms,
            self.worker_name,
            self.limiter_max,
            self.limiter_duration_ms,
            holds,
        ]
