"""What a board is like."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bullworks.board.errors import BadBasePathError, BadPublicUrlError
from bullworks.board.history import HistorySource
from bullworks.board.redaction import SECRET_KEYS
from bullworks.board.security import Auth, Policy
from bullworks.board.security.guard import LOOPBACK_HOSTS

DEFAULT_PATH = "/admin/queues"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardOptions:
    """Options of a board: appearance, access and limits.

    Args:
        title: of the pages.
        auth: who asks, see `Auth`; None means only requests from this machine are answered, without authentication.
        policy: who may do what, see `Policy`; None means all may do everything.
        read_only: nothing can be changed.
        allowed_hosts: names for the Host header, `*` in them for any text.
        public_url: where browsers reach the board, if a proxy stands before it, as in
            `https://ops.example.com/tools/queues`: links begin with its path, cookies are Secure if it is https, and
            its host is allowed.
        trusted_proxies: addresses or networks whose X-Forwarded-For is believed, for the login throttle and the log.
        secret: what the tokens of pages are signed with, the same in all processes that serve this board; None means
            a secret of this process.
        redact: keys whose values are not shown, wherever in data, options and results; their case, `-` and `_` do not
            matter, and `*` stands for any text.
        shown_bytes: of JSON of one value; what is larger is not read, and its size is shown.
        show_redis, show_workers: whether the page may ask for the server's state, and for who works on a queue.
        history: what happened in the past; None means the history that workers of these queues recorded.
    """

    title: str = "Bullworks"
    auth: Auth | None = None
    policy: Policy | None = None
    read_only: bool = False
    allowed_hosts: Sequence[str] = LOOPBACK_HOSTS
    public_url: str | None = None
    trusted_proxies: Sequence[str] = ()
    secret: str | None = None
    redact: Sequence[str] = SECRET_KEYS
    shown_bytes: int = 256 * 1024
    show_redis: bool = True
    show_workers: bool = True
    history: HistorySource | None = None


def checked_path(path: str) -> str:
    """Validate the path to serve at; returns it without a trailing slash.

    Raises:
        BadBasePathError: it is none.
    """
    plain = path.rstrip("/")
    parts = plain.split("/")
    if not plain.startswith("/") or any(not part or not _is_plain(part) for part in parts[1:]):
        raise BadBasePathError(path)
    return plain


def checked_public_url(url: str) -> str:
    """Validate the URL that browsers reach the board at; returns it without a trailing slash.

    Raises:
        BadPublicUrlError: it is none.
    """
    parts = urlsplit(url)
    is_bare = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in {"http", "https"} or not parts.netloc or not is_bare:
        raise BadPublicUrlError(url)
    if parts.path.rstrip("/"):
        checked_path(parts.path)
    return url.rstrip("/")


def _is_plain(part: str) -> bool:
    return part not in {".", ".."} and all(char.isascii() and (char.isalnum() or char in "-_.~") for char in part)
