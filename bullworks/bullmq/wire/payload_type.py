"""Payloads with a type: pydantic models, dataclasses, and what else pydantic can check; plain JSON on the wire."""

from dataclasses import is_dataclass
from typing import Any, Generic, TypeVar

from bullworks.bullmq.errors import InvalidOptionError, InvalidPayloadError
from bullworks.bullmq.wire import payload
from bullworks.bullmq.wire.payload import Json

T = TypeVar("T")

_MOST_PROBLEMS = 5


class PayloadType(Generic[T]):
    """Turns values of one type into JSON and back, and refuses what does not fit, with its path.

    Raises:
        InvalidOptionError: pydantic cannot check the type.
    """

    __slots__ = ("_adapter", "name")

    def __init__(self, option: str, given: Any) -> None:
        # Here, since whoever gives no type need not load it.
        from pydantic import PydanticUserError, TypeAdapter

        self.name: str = getattr(given, "__name__", str(given))
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(given)
        except (PydanticUserError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise InvalidOptionError(option, f"{self.name} cannot be checked: {reason}") from error

    def plain(self, value: Any) -> Json:
        """The value as JSON can hold it, once it is sure that it is of the type; also one that is JSON already.

        Raises:
            InvalidPayloadError: it is not of the type.
        """
        try:
            dumped = self._adapter.dump_python(value, mode="json", by_alias=True, warnings=False)
        except ValueError as error:
            raise InvalidPayloadError("$", f"cannot be written as {self.name}: {error}") from error
        # An instance may hold what its class would refuse: dataclasses check nothing, and both can be changed.
        checked = self.decode(payload.encode(dumped))
        return self._adapter.dump_python(checked, mode="json", by_alias=True)

    def encode(self, value: Any) -> bytes:
        """JSON of it. Raises as `plain` does, and as `payload.encode`."""
        return payload.encode(self.plain(value))

    def decode(self, encoded: bytes) -> T:
        """The value in a job.

        Raises:
            InvalidPayloadError: it is not of the type.
        """
        from pydantic import ValidationError

        try:
            return self._adapter.validate_json(encoded)
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
    """Of one queue, what its jobs hold and what comes of them; None: any JSON, as it is."""

    __slots__ = ("data", "result")

    def __init__(self, data: PayloadType[Any] | None, result: PayloadType[Any] | None) -> None:
        self.data = data
        self.result = result

    @classmethod
    def of(cls, data_type: Any, result_type: Any = None) -> "PayloadTypes | None":
        """Of the types that were given; None where there are none, so that nothing is asked of anybody.

        Raises:
            InvalidOptionError: one cannot be checked.
        """
        if data_type is None and result_type is None:
            return None
        data = None if data_type is None else PayloadType[Any]("data_type", data_type)
        result = None if result_type is None else PayloadType[Any]("result_type", result_type)
        return cls(data, result)

    @classmethod
    def of_value(cls, value: object) -> "PayloadTypes | None":
        """Of an instance of a model or a dataclass; None: it is neither."""
        return cls.of(type(value)) if is_typed(type(value)) else None

    def plain_data(self, value: Any) -> Json:
        """As PayloadType.plain, of `data`."""
        return value if self.data is None else self.data.plain(value)


def is_typed(cls: object) -> bool:
    """Whether it is a class that says what its instances hold: a pydantic model or a dataclass."""
    return isinstance(cls, type) and (is_dataclass(cls) or hasattr(cls, "__pydantic_validator__"))


def _path(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
