"""Connection options as a dict, as npm bullmq takes them: `{"url": "redis://..."}`, or host and port."""

from collections.abc import Mapping
from typing import Any, TypedDict
from urllib.parse import quote

from bullworks.elsewhere import snake_cased
from bullworks.redis.errors import BadUrlError


class ConnectionOptions(TypedDict, total=False):
    """The address of Redis as a dict: a `url`, or the parts of one.

    Attributes:
        url: `redis://`, `rediss://`, `unix://`, `redis+sentinel://`, `redis+cluster://`; with it nothing else.
        host, port: "localhost" and 6379 unless given.
        username, password: of the login.
        db: the number of the database; 0 unless given.
    """

    url: str
    host: str
    port: int
    username: str | None
    password: str | None
    db: int


def url_of(options: Mapping[str, Any]) -> str:
    """Build the URL that the options stand for; None is as left out, but for `url`.

    Raises:
        BadUrlError: an option is unknown or unusable; says what to write.
    """
    for option in options:
        if option not in ConnectionOptions.__annotations__:
            raise _refused(f"the option {option!r} is unknown", _instead_of(str(option)))
    if "url" in options:
        url = options["url"]
        if not isinstance(url, str):
            hint = "Is its environment variable set? Without connection= QUEUE_REDIS_URL is read."
            raise _refused(f"url is {url!r}", hint)
        if len(options) > 1:
            raise _refused("url stands beside its parts", 'Write {"url": ...} alone.')
        return url
    given = {option: value for option, value in options.items() if value is not None}
    host, port, db = str(given.get("host", "localhost")), given.get("port", 6379), given.get("db", 0)
    for option, number in (("port", port), ("db", db)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise _refused(
                f"{option} is {number!r}, not a whole number",
                f'Write {{"{option}": {6379 if option == "port" else 0}}}.',
            )
    login = quote(str(given.get("username", "")), safe="")
    if "password" in given:
        login += ":" + quote(str(given["password"]), safe="")
    place = f"[{host}]" if ":" in host else host
    return f"redis://{login}{'@' if login else ''}{place}:{port}/{db}"


def _instead_of(option: str) -> str:
    if snake_cased(option) == "tls":
        return 'Write {"url": "rediss://..."} for TLS.'
    known = ", ".join(ConnectionOptions.__annotations__)
    return f"Known: {known}; whatever else there is stands in the URL, as in redis://host/0?socket_connect_timeout=5."


def _refused(reason: str, hint: str) -> BadUrlError:
    return BadUrlError("of the connection options", reason, hint)
