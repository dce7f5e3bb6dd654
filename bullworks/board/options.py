"""What a board is like."""

from collections.abc import Sequence
from dataclasses import dataclass

from bullworks.board.errors import BadBasePathError
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


def _is_plain(part: str) -> bool:
    return part not in {".", ".."} and all(char.isascii() and (char.isalnum() or char in "-_.~") for char in part)
