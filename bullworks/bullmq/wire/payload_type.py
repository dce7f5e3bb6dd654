"""Payloads with a type: pydantic models, dataclasses, and what else pydantic can check; plain JSON on the wire."""

from dataclasses import is_dataclass
from typing import Any, Generic, TypeVar

from bullworks.bullmq.errors import InvalidOptionError, InvalidPayloadError
from bullworks.bullmq.wire import payload
from bullworks.bullmq.wire.encrypted import context_of, has_encrypted
from bullworks.bullmq.wire.keyring import Keyring
from bullworks.bullmq.wire.payload import Json
from bullworks.bullmq.wire.payload_version import UNVERSIONED, VERSION, PayloadVersion, names_a_version

T = TypeVar("T")

_MOST_PROBLEMS = 5


class PayloadType(Generic[T]):
    """Converts values of one type to and from JSON; refuses values that do not fit, with the path.

    Raises:
        InvalidOptionError: pydantic cannot check the type.
    """

    __slots__ = ("_adapter", "_context", "_version", "has_encrypted", "name")

    def __init__(self, option: str, given: Any, keyring: Keyring | None = None) -> None:
        # Here, so that it is not loaded without a type.
        from pydantic import PydanticUserError, TypeAdapter

        self.name: str = getattr(given, "__name__", str(given))
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(given)
        except (PydanticUserError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise InvalidOptionError(option, f"{self.name} cannot be checked: {reason}") from error
        self.has_encrypted = has_encrypted(self._adapter.core_schema)
        """Whether a field of it is sealed, where there is a keyring."""
        self._context = context_of(keyring) if self.has_encrypted else None
        self._version = PayloadVersion.of(given)

    def plain(self, value: Any) -> Json:
        """Convert a value to JSON types after validating its type; JSON input is accepted too.

        Raises:
            InvalidPayloadError: it is not of the type.
        """
        try:
            dumped = self._adapter.dump_python(value, mode="json", by_alias=True, warnings=False)
        except ValueError as error:
            raise InvalidPayloadError("$", f"cannot be written as {self.name}: {error}") from error
        # An instance may hold what its class would refuse: dataclasses check nothing, and both can be changed.
        encoded = payload.encode(dumped)
        is_stored = isinstance(dumped, dict) and VERSION in dumped
        checked = self.decode(encoded) if is_stored else self._validated(encoded)
        return self._stored(self._adapter.dump_python(checked, mode="json", by_alias=True, context=self._context))

    def opened(self, value: T) -> Json:
        """Convert a value that was decoded to JSON types, with its encrypted fields in the clear; not for Redis."""
        return self._stored(self._adapter.dump_python(value, mode="json", by_alias=True))

    def encode(self, value: Any) -> bytes:
        """Encode a value as JSON. Raises as `plain` does, and as `payload.encode`."""
        return payload.encode(self.plain(value))

    def decode(self, encoded: bytes) -> T:
        """Decode the typed value in a job.

        Raises:
            InvalidPayloadError: it is not of the type.
            PayloadAheadError: it is of a newer version, or sealed with a key that is not in the keyring.
        """
        if self._version is not None or names_a_version(encoded):
            encoded = (self._version or UNVERSIONED).current(encoded)
        return self._validated(encoded)

    def _stored(self, plain: Json) -> Json:
        return plain if self._version is None else {**plain, VERSION: self._version.number}

    def _validated(self, encoded: bytes) -> T:
        from pydantic import ValidationError

        try:
            return self._adapter.validate_json(encoded, context=self._context)
        except ValidationError as error:
            # The text without what was given: payloads stand in no log.
            problems = [
                (_path(problem["loc"]), problem["msg"])
                for problem in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        path, problem = problems[0]
        others = "".join(f"; {path}: {problem}" for path, problem in problems[1:_MOST_PROBLEMS])
        raise InvalidPayloadError(path, f"does not fit {self.name}: {problem}{others}")


class PayloadTypes:
    """The types of a queue's payloads and results; None means any JSON, unchanged."""

    __slots__ = ("data", "result")

    def __init__(self, data: PayloadType[Any] | None, result: PayloadType[Any] | None) -> None:
        self.data = data
        self.result = result

    @classmethod
    def of(cls, data_type: Any, result_type: Any = None, keyring: Keyring | None = None) -> "PayloadTypes | None":
        """Build the payload types from classes; None if none are given, so that nothing is checked.

        Raises:
            InvalidOptionError: one cannot be checked.
        """
        if data_type is None and result_type is None:
            return None
        data = None if data_type is None else PayloadType[Any]("data_type", data_type, keyring)
        result = None if result_type is None else PayloadType[Any]("result_type", result_type, keyring)
        return cls(data, result)

    @classmethod
    def stored(cls, data_type: Any, result_type: Any, keyring: Keyring | None) -> "PayloadTypes | None":
        """Build the types of a queue in Redis, which must not hold encrypted fields in the clear; None as in `of`.

        Raises:
            InvalidOptionError: a type cannot be checked; or has an encrypted field, and there is no keyring.
        """
        types = cls.of(data_type, result_type, keyring)
        for kind in () if types is None or keyring is not None else (types.data, types.result):
            if kind is not None and kind.has_encrypted:
                raise InvalidOptionError("encryption", f"is needed: {kind.name} has encrypted fields; give a Keyring")
        return types

    @classmethod
    def of_value(cls, value: object) -> "PayloadTypes | None":
        """Build the payload type of a model or dataclass instance; None for other values."""
        return cls.of(type(value)) if is_typed(type(value)) else None

    def plain_data(self, value: Any) -> Json:
        """Convert job data to JSON types; see PayloadType.plain."""
        return value if self.data is None else self.data.plain(value)


def is_typed(cls: object) -> bool:
    """Whether a class declares its fields: a pydantic model or a dataclass."""
    return isinstance(cls, type) and (is_dataclass(cls) or hasattr(cls, "__pydantic_validator__"))


def _path(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
