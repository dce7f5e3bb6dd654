"""Payloads with a type on their way to a process and back: as JSON, whose encrypted fields only the worker seals."""

import pickle
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.job.job import Job
from bullworks.bullmq.process_pool.address import address_of
from bullworks.bullmq.wire import codec, payload
from bullworks.bullmq.wire.payload import Json
from bullworks.bullmq.wire.payload_type import PayloadType, PayloadTypes


def pickled_types(data_type: Any, result_type: Any) -> bytes:
    """Pickle the types of a queue's payloads for its processes.

    Raises:
        InvalidOptionError: a process could not import one of them.
    """
    for option, kind in (("data_type", data_type), ("result_type", result_type)):
        if isinstance(kind, type):
            address_of(kind, option)
        try:
            pickle.dumps(kind)
        except Exception as error:
            raise InvalidOptionError(option, f"no process could import {kind!r}: {error}") from error
    return pickle.dumps((data_type, result_type))


def types_in_process(pickled: bytes) -> PayloadTypes | None:
    """Import the types in a process, which has no keys: what it gets was opened, and what it returns is sealed later.

    Raises:
        ImportError, AttributeError, or whatever importing their modules raises.
    """
    data_type, result_type = pickle.loads(pickled)  # noqa: S301 - what our own parent says  # nosec B301
    return PayloadTypes.of(data_type, result_type)


def fields_for_process(job: Job) -> dict[bytes, bytes]:
    """The job's hash, with encrypted fields of its data opened.

    Raises:
        InvalidPayloadError, PayloadAheadError: its data cannot be opened.
    """
    fields = dict(job._fields)
    data_type = _data_type(job)
    if data_type is not None and data_type.has_encrypted and codec.DATA in fields:
        fields[codec.DATA] = payload.encode(data_type.opened(job.data))
    return fields


def result_for_worker(result: Any, types: PayloadTypes | None) -> bytes:
    """Encode what a handler returned, unsealed; the worker checks and seals it.

    Raises:
        InvalidPayloadError: it cannot be stored.
    """
    return payload.encode(result if types is None or types.result is None else types.result.plain(result))


def result_from_process(encoded: bytes, job: Job) -> Any:
    """Decode what a handler returned, as the worker's own handlers return it."""
    types = job._store.payload_types  # noqa: SLF001
    plain: Json = payload.decode(encoded)
    return plain if types is None or types.result is None else types.result.decode(encoded)


def _data_type(job: Job) -> PayloadType[Any] | None:
    types = job._store.payload_types  # noqa: SLF001
    return None if types is None else types.data
