"""Versions of a payload's type: what was stored by an older one is brought up to date when it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any, TypeVar

from bullworks.bullmq.errors import InvalidOptionError, InvalidPayloadError, PayloadAheadError
from bullworks.bullmq.options import checks
from bullworks.bullmq.wire import payload as wire
from bullworks.bullmq.wire.payload import Json

C = TypeVar("C", bound=type[Any])

Upcaster = Callable[[dict[str, Json]], dict[str, Json]]
"""Turns the JSON object of one version into that of the next."""

VERSION = "$version"
"""The key beside the fields of a payload; without it a payload is of version 1."""

_IN_JSON = b'"$version"'
_ATTRIBUTE = "__payload_version__"


def payload(*, version: int, upcasters: Mapping[int, Upcaster] | None = None) -> Callable[[C], C]:
    """Give a pydantic model or a dataclass a version, which is stored with each payload of it.

    A worker that knows only an older version puts the job back, for one that knows this one.

    Args:
        version: of the class as it is; 1 is what payloads without one are.
        upcasters: by the version that each turns into the next, without a gap up to `version`. They see JSON as it was
            stored: an encrypted field is still sealed. Jobs of versions before the first one fail for good.

    Raises:
        InvalidOptionError: the class is neither, or a version or an upcaster cannot be used.
    """
    known = PayloadVersion(checks.whole("version", version, 1), dict(upcasters or {}))
    expected = range(known.oldest, version)
    if sorted(known.upcasters) != list(expected):
        raise InvalidOptionError(
            "upcasters", f"must lead to version {version} step by step, not from {sorted(known.upcasters)}"
        )
    for step, upcaster in known.upcasters.items():
        if not callable(upcaster):
            raise InvalidOptionError("upcasters", f"that of version {step} must be a function, not {upcaster!r}")

    def mark(cls: C) -> C:
        if not _has_fields(cls):
            raise InvalidOptionError(
                "payload", f"{cls.__name__} is neither a pydantic model with fields nor a dataclass"
            )
        setattr(cls, _ATTRIBUTE, known)
        return cls

    return mark


@dataclass(frozen=True, slots=True)
class PayloadVersion:
    """The version of a type, and how payloads of older ones become payloads of it.

    Attributes:
        upcasters: by the version that each turns into the next.
    """

    number: int = 1
    upcasters: Mapping[int, Upcaster] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Any) -> "PayloadVersion | None":
        """Return the version that `@payload` gave a class itself; None means it gave none."""
        version = vars(given).get(_ATTRIBUTE) if isinstance(given, type) else None
        return version if isinstance(version, cls) else None

    @property
    def oldest(self) -> int:
        """The oldest version that can be read."""
        return min(self.upcasters, default=self.number)

    def current(self, encoded: bytes) -> bytes:
        """Bring a stored payload up to date; returns its JSON without the version.

        Raises:
            PayloadAheadError: its version is newer.
            InvalidPayloadError: its version is too old, or none, or an upcaster raised.
        """
        try:
            data = wire.decode(encoded)
        except ValueError:
            return encoded  # the type says what is wrong with it
        if not isinstance(data, dict):
            return encoded
        found = data.pop(VERSION, 1)
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise InvalidPayloadError(f"$.{VERSION}", "is not a version, a whole number from 1")
        if found > self.number:
            raise PayloadAheadError(f"is of version {found}; this process knows versions up to {self.number}")
        if found < self.oldest:
            raise InvalidPayloadError(f"$.{VERSION}", f"is {found}; no upcaster starts below version {self.oldest}")
        for step in range(found, self.number):
            data = self._upcast(step, data)
        return wire.encode(data)

    def _upcast(self, step: int, data: dict[str, Json]) -> dict[str, Json]:
        try:
            upcast = self.upcasters[step](data)
        except Exception as error:
            raise InvalidPayloadError("$", f"the upcaster of version {step} raised {type(error).__name__}") from error
        if not isinstance(upcast, dict):
            raise InvalidPayloadError("$", f"the upcaster of version {step} returned no dict")
        return upcast


def _has_fields(cls: object) -> bool:
    if getattr(cls, "__pydantic_root_model__", False):
        return False
    return is_dataclass(cls) or hasattr(cls, "model_fields")


UNVERSIONED = PayloadVersion()
"""The version of a type without one, which nevertheless knows a newer payload when it sees it."""


def names_a_version(encoded: bytes) -> bool:
    """Whether a stored payload may hold its version; False is certain."""
    return _IN_JSON in encoded
