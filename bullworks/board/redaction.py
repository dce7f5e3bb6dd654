"""What of a job's data is shown: no secrets, and no more than a page can hold."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bullworks.board.errors import invalid
from bullworks.bullmq.wire.keyring import is_sealed

HIDDEN = "[redacted]"
ENCRYPTED = "[encrypted]"
"""What is shown in the place of an encrypted field."""
TOO_LARGE = "[too large]"
"""The one key of what is shown in the place of a value that is too large."""

SECRET_KEYS = (
    "*password*", "passwd", "pwd", "*passphrase*", "*secret*", "token", "*token", "authorization", "*auth*header*",
    "*apikey*", "*accesskey*", "*privatekey*", "*credential*", "cookie", "setcookie", "sessionid", "cvv", "cardnumber",
)  # fmt: skip
"""Compared in lower case, without `-` and `_`: `api_key`, `X-Api-Key` and `apiKey` are one."""

_SEPARATORS = str.maketrans("", "", "-_ .")


class Redaction:
    """Hides the values of secret keys in displayed data.

    Args:
        keys: their names, see SECRET_KEYS.
    """

    def __init__(self, keys: Iterable[str] = SECRET_KEYS) -> None:
        parts = [re.escape(key.lower().translate(_SEPARATORS)).replace(r"\*", ".*") for key in keys]
        self._secret = re.compile("|".join(parts)) if parts else None

    def hide(self, value: Any) -> Any:
        """Replace each secret, and each encrypted field, in a value."""
        if is_sealed(value):
            return ENCRYPTED
        if isinstance(value, dict):
            return {
                key: HIDDEN if self._is_secret(key) and item not in (None, "") else self.hide(item)
                for key, item in value.items()
            }
        return [self.hide(item) for item in value] if isinstance(value, list) else value

    def restore(self, edited: Any, stored: Any) -> Any:
        """Put hidden secrets and encrypted fields back into an edited value.

        Raises:
            RefusedError: it holds a replacement where the stored value has no secret.
        """
        if edited == ENCRYPTED and is_sealed(stored):
            return stored
        if isinstance(edited, dict):
            before = stored if isinstance(stored, Mapping) else {}
            return {
                key: before[key] if item == HIDDEN and key in before else self.restore(item, before.get(key))
                for key, item in edited.items()
            }
        if isinstance(edited, list):
            # in a list that grew or shrank, entries cannot be matched
            rest = stored if isinstance(stored, list) and len(stored) == len(edited) else [None] * len(edited)
            return [self.restore(item, before) for item, before in zip(edited, rest, strict=True)]
        if edited in (HIDDEN, ENCRYPTED):
            raise invalid(
                "INVALID_REQUEST_BODY", f"{edited} is the placeholder of a hidden secret; write the real value"
            )
        return edited

    def _is_secret(self, key: object) -> bool:
        return self._secret is not None and bool(self._secret.fullmatch(str(key).lower().translate(_SEPARATORS)))


def too_large(size_bytes: int, most_bytes: int) -> dict[str, str]:
    """Build the placeholder for a value that is too large to display."""
    return {TOO_LARGE: f"{size_bytes} bytes of JSON; the board shows {most_bytes} at most"}


def check_is_whole(value: Any) -> None:
    """Refuse to store the placeholder of a value that is too large.

    Raises:
        RefusedError: it is that.
    """
    if isinstance(value, dict) and TOO_LARGE in value:
        raise invalid("INVALID_REQUEST_BODY", "the value was too large to be shown, so it cannot be edited here")
