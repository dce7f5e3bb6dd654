"""Encrypted: marks a field of a payload's type that is sealed before it reaches Redis."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bullworks.bullmq.wire.keyring import Keyring, UnsealableError, is_sealed

_KEYRING = "bullworks.keyring"
_MARK = "bullworks.encrypted"


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Seals a field of a pydantic model or dataclass: `card: Annotated[str, Encrypted()]`.

    The queue and the worker get the keys, as `encryption=`. What is in the field may be any JSON; None stays null. A
    plain value, which Node or an older version added, is read as it is, so a field of a live queue can become one.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        inner = handler(source)
        serialization = core_schema.wrap_serializer_function_ser_schema(_seal, info_arg=True, schema=inner)
        return core_schema.with_info_wrap_validator_function(
            _open, inner, serialization=serialization, metadata={_MARK: True}
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return handler(schema["schema"])


def context_of(keyring: Keyring | None) -> dict[str, Keyring] | None:
    """Build the pydantic context in which fields are sealed and opened; None means neither."""
    return None if keyring is None else {_KEYRING: keyring}


def has_encrypted(schema: Any) -> bool:
    """Whether a pydantic core schema has an encrypted field, however deep."""
    if isinstance(schema, Mapping):
        metadata = schema.get("metadata")
        marked = isinstance(metadata, Mapping) and _MARK in metadata
        return marked or any(has_encrypted(part) for key, part in schema.items() if key != "metadata")
    return isinstance(schema, list | tuple) and any(has_encrypted(part) for part in schema)


def _seal(value: Any, handler: Any, info: Any) -> Any:
    plain = handler(value)
    keyring: Keyring | None = (info.context or {}).get(_KEYRING)
    return plain if keyring is None or plain is None else keyring.seal(plain)


def _open(value: Any, handler: Any, info: Any) -> Any:
    if not is_sealed(value):
        return handler(value)
    keyring: Keyring | None = (info.context or {}).get(_KEYRING)
    if keyring is None:
        raise UnsealableError("is encrypted; give the queue and the worker encryption=Keyring(...)")
    return handler(keyring.open(value))
