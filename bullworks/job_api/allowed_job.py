"""AllowedJob: a kind of job that may be added, and looked at, over HTTP."""

from dataclasses import dataclass, field
from typing import Any

from bullworks.bullmq import JobOptions
from bullworks.bullmq.wire.payload import Json
from bullworks.bullmq.wire.payload_type import PayloadType


@dataclass(frozen=True, slots=True)
class AllowedJob:
    """A queue and a job name that the job API allows; every other is refused.

    Args:
        queue: the queue's name; a module registers it.
        name: the job's name.
        data_type: a pydantic model, a dataclass, or what else pydantic can check: data that does not fit is refused.
            `Any` allows any JSON.
        options: with which it is added; the sender of a request has no say in them.
        shows_result: whether who may look at such a job is shown what it returned, or why it failed.

    Raises:
        InvalidOptionError: pydantic cannot check the type.
    """

    queue: str
    name: str
    data_type: Any
    options: JobOptions = field(default_factory=JobOptions, kw_only=True)
    shows_result: bool = field(default=False, kw_only=True)
    _type: PayloadType[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_type", PayloadType[Any]("data_type", self.data_type))

    def plain(self, data: Json) -> Json:
        """Check data from a request, and return it as JSON of its type, with the type's defaults.

        Raises:
            InvalidPayloadError: it does not fit; names the path, and not the value.
        """
        return self._type.plain(data)
