"""An error that Redis itself answered, as against a broken connection."""

from app.redis.errors import RedisError

_CLUSTER_HINT = ". It is a node of a cluster: write redis+cluster:// instead of redis://"


class ServerError(RedisError):
    """Redis answered with an error; nothing is known of what a script wrote before it.

    `code` is the first word of the answer: NOSCRIPT, LOADING, READONLY, OOM, WRONGTYPE, NOPERM, MOVED ...
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.code = text.split(" ", 1)[0]

    def __str__(self) -> str:
        hint = _CLUSTER_HINT if self.code == "MOVED" else ""
        return f"Redis answered: {self.text}{hint}"
