"""Keyring: the keys that encrypted fields of payloads are sealed with."""

import os
import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError, PayloadAheadError
from bullworks.bullmq.wire import payload
from bullworks.bullmq.wire.payload import Json
from bullworks.extras import require

SEALED = "$encrypted"
"""The key by which a sealed value is known; its value names the cipher."""

ALGORITHM = "A256GCM"
_KEY_BYTES = 32
# As long as NIST SP 800-38D recommends for a random one.
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class UnsealableError(ValueError):
    """A sealed value is damaged, or was not sealed with the key that it names."""


class Keyring:
    """AES-256-GCM keys by their ids: the first seals, all of them open.

    To rotate, give every process the new key in the second place, then in the first, and drop the old one once no job
    holds its id. A key seals 2**32 values at most, for its nonces are random.

    Args:
        keys: by id, which is visible in Redis: up to 64 letters, digits, `.`, `_` and `-`. A key is 32 bytes, or
            those in base64, as `Keyring.new_key` makes it.

    Raises:
        InvalidOptionError: there is no key, or an id or a key that cannot be used.
        MissingExtraError: the extra `encryption` is not installed.
    """

    __slots__ = ("_ciphers", "_first")

    def __init__(self, keys: Mapping[str, bytes | str]) -> None:
        require("encryption", "a Keyring")
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not keys:
            raise InvalidOptionError("encryption", "a Keyring needs at least one key")
        self._ciphers = {_checked_id(key_id): AESGCM(_checked_key(key_id, key)) for key_id, key in keys.items()}
        self._first = next(iter(self._ciphers))

    def __repr__(self) -> str:
        return f"<Keyring {', '.join(self._ciphers)}>"  # never its keys

    def __reduce__(self) -> Any:
        raise TypeError("a Keyring is not pickled: its keys would leave the process")

    @staticmethod
    def new_key() -> str:
        """Make a random key, in base64."""
        return b64encode(os.urandom(_KEY_BYTES)).decode()

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of its keys; the first one's seals."""
        return tuple(self._ciphers)

    def seal(self, value: Json) -> Json:
        """Encrypt a JSON value with the first key; returns a JSON object.

        Raises:
            InvalidPayloadError: it is not JSON.
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, payload.encode(value), self._first.encode())
        return {
            SEALED: ALGORITHM,
            "kid": self._first,
            "iv": b64encode(nonce).decode(),
            "ct": b64encode(sealed).decode(),
        }

    def open(self, sealed: Mapping[str, Json]) -> Json:
        """Decrypt what `seal` returned, here or elsewhere.

        Raises:
            PayloadAheadError: the keyring has no key of that id.
            UnsealableError: it is damaged, or of another cipher.
        """
        from cryptography.exceptions import InvalidTag

        key_id = sealed.get("kid")
        if sealed.get(SEALED) != ALGORITHM or not isinstance(key_id, str):
            raise UnsealableError(f"is not sealed with {ALGORITHM}")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise PayloadAheadError(f"is sealed with the key {key_id!r}; the keyring has {', '.join(self._ciphers)}")
        try:
            nonce, text = a2b_base64(sealed["iv"], strict_mode=True), a2b_base64(sealed["ct"], strict_mode=True)
            return payload.decode(cipher.decrypt(nonce, text, key_id.encode()))
        except (InvalidTag, Base64Error, KeyError, TypeError, ValueError):
            # `from None`: a cause would show what was opened.
            raise UnsealableError(f"is damaged, or was not sealed with the key {key_id!r}") from None


def is_sealed(value: Json) -> bool:
    """Whether a JSON value is what `Keyring.seal` returns."""
    return isinstance(value, dict) and SEALED in value


def _checked_id(key_id: object) -> str:
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise InvalidOptionError(
            "encryption", f"the key id {key_id!r} is not 1 to 64 letters, digits, '.', '_' and '-'"
        )
    return key_id


def _checked_key(key_id: str, key: object) -> bytes:
    if isinstance(key, str):
        try:
            key = a2b_base64(key, strict_mode=True)
        except (Base64Error, ValueError):
            # `from None`: a cause would show the key.
            raise InvalidOptionError("encryption", f"the key {key_id} is not base64") from None
    if not isinstance(key, bytes) or len(key) != _KEY_BYTES:
        raise InvalidOptionError(
            "encryption", f"the key {key_id} is not {_KEY_BYTES} bytes; make one by Keyring.new_key()"
        )
    return key
