"""An error that Redis itself answered, as against a broken connection."""

from dataclasses import dataclass

from bullworks.redis.errors import RedisError


@dataclass(eq=False)
class ServerError(RedisError):
    """Redis answered with an error; nothing is known of what a script wrote before it.

    `code` is the first word of the answer: NOSCRIPT, LOADING, READONLY, OOM, WRONGTYPE, NOPERM, MOVED ...; `hint` may
    say what to do.
    """

    text: str
    hint = ""

    @property
    def code(self) -> str:
        return self.text.split(" ", 1)[0]

    def __str__(self) -> str:
        return f"Redis answered: {self.text}{self.hint}"
