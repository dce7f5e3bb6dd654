"""Where workers are listed. Nothing else spells these keys. They hold the queues' prefix, and with it its {tag}."""


class PresenceKeys:
    """The keys of one queue: `workers` a hash, worker's id -> record; `seen` a sorted set, id -> when, Redis's time.

    Args:
        prefix: of the queues.
        queue: its name.
    """

    __slots__ = ("seen", "workers")

    def __init__(self, prefix: str, queue: str) -> None:
        self.workers = f"bullworks:board:workers:{prefix}:{queue}"
        self.seen = f"{self.workers}:seen"
