"""What the engine's worker calls for a host: in this process, or in others."""

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from bullworks.arity import needed_arguments
from bullworks.bullmq import InvalidOptionError, ProcessPool
from bullworks.bullmq.process_pool.address import address_of, find
from bullworks.bullmq.worker.processor import Processor
from bullworks.workers.errors import ProcessPoolError
from bullworks.workers.host import WorkerHost
from bullworks.workers.processor import PROCESSOR, ProcessorSpec

P = TypeVar("P", bound=ProcessPool)


def processor_of(host: WorkerHost[Any, Any], spec: ProcessorSpec) -> Processor:
    """Build the processor of a host: its methods, or a pool of processes with hosts of their own.

    Raises:
        ProcessPoolError: no process could have one.
    """
    if spec.process_pool is None:
        return own_processor(host, spec.methods)
    return pool_of(type(host), spec, ProcessPool)


def pool_of(cls: type[Any], spec: ProcessorSpec, kind: type[P]) -> P:
    """Create a pool, of this kind, whose processes build hosts of a class; none is started.

    Raises:
        ProcessPoolError: no process could: it does not find the class or the factory, or there is no factory and the
            class asks for something.
    """
    try:
        host = address_of(cls, "the class")
        factory = None if spec.process_factory is None else address_of(spec.process_factory, "process_factory")
    except InvalidOptionError as error:
        raise ProcessPoolError(cls.__name__, f"its processes could not build one: {error}") from error
    needed = needed_arguments(inspect.signature(cls))
    if factory is None and needed:
        raise ProcessPoolError(
            cls.__name__,
            f"its constructor asks for {', '.join(needed)}, which is in this process only; give it process_factory=, "
            "a function at the top of a module that builds one in each process",
        )
    pool = kind.of_factory(make_processor, host, factory, size=spec.process_pool or 1)
    try:
        pool.use_types(spec.data_type, spec.result_type)
    except InvalidOptionError as error:
        raise ProcessPoolError(cls.__name__, f"its processes could not read its jobs: {error}") from error
    return pool


async def make_processor(host: str, factory: str | None) -> Processor:
    """Build the host in a process of a pool; returns its methods."""
    cls = find(host)
    built = cls() if factory is None else find(factory)()
    if inspect.isawaitable(built):
        built = await built
    spec: ProcessorSpec = vars(cls)[PROCESSOR]
    if not isinstance(built, cls):
        raise ProcessPoolError(cls.__name__, f"its process_factory returned {built!r}, which is not one")
    return own_processor(built, spec.methods)


def own_processor(host: Any, methods: Mapping[str, str]) -> Processor:
    """Build a processor from a host's methods, called in this process."""
    if methods:
        return {name: getattr(host, method) for name, method in methods.items()}
    processor: Processor = host.process
    return processor
