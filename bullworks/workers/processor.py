"""`@processor`: which queue a class works off, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin

from typing_extensions import Unpack

from bullworks.bullmq import InvalidOptionError, WorkerOptions
from bullworks.bullmq.options import checks
from bullworks.bullmq.queue.queue import checked_keys
from bullworks.bullmq.wire.payload_type import PayloadTypes, is_typed
from bullworks.bullmq.worker.options import WorkerOpts
from bullworks.core import Scope, injectable, snake_case
from bullworks.workers.errors import ProcessorClassError
from bullworks.workers.host import WorkerHost
from bullworks.workers.process import job_methods

T = TypeVar("T")

PROCESSOR = "__processor__"


@dataclass(frozen=True, slots=True)
class ProcessorSpec:
    """The arguments of one `@processor`.

    Args:
        queue: the queue's name.
        worker_name: how ENABLED_WORKERS knows it.
        methods: by job name; empty: all jobs go to `process`.
        options: of the engine's worker, checked.
        process_pool: in how many processes its jobs run; None means this process.
        process_factory: builds the host in such a process; None means its class builds it.
        config_key: over which connection its queue has to be registered; None means any.
        data_type, result_type: of the jobs; None means any JSON.
    """

    queue: str
    worker_name: str
    methods: Mapping[str, str]
    options: WorkerOptions
    process_pool: int | None = None
    process_factory: str | Callable[..., Any] | None = None
    config_key: str | None = None
    data_type: Any = None
    result_type: Any = None


def processor(
    queue: str,
    *,
    worker_name: str | None = None,
    process_pool: int | None = None,
    process_factory: str | Callable[..., Any] | None = None,
    scope: Scope | None = None,
    config_key: str | None = None,
    data_type: Any = None,
    result_type: Any = None,
    **options: Unpack[WorkerOptions],
) -> Callable[[type[T]], type[T]]:
    """Declare a WorkerHost class as the processor of a queue.

    Args:
        queue: the queue's name; some module registers it.
        worker_name: how ENABLED_WORKERS knows it; the class's name in snake_case, less `_worker`, unless given.
        process_pool: run jobs in so many processes, for handlers that need the CPU; see `bullworks.bullmq.ProcessPool`.
            Each process has a host of its own, which knows nothing of this one's dependencies; events go to this one.
        process_factory: called once in each process, sync or async: returns its host. A function at the top of a
            module, or its address, "package.module:function". Needed where the class's constructor asks for something.
        scope: REQUEST: a new instance for each job, that can have the job injected, as JOB, and is closed when the
            job has ended; it can have no worker events. As `@injectable` says, or SINGLETON, unless given.
        config_key: the queue's connection; it is what some `register_queue(..., config_key=)` says.
        data_type, result_type: what jobs hold and what comes of them, checked before `process` and after it, see
            `bullworks.bullmq.Worker`. Unless given, the models or dataclasses that the class names, as in
            `class EmailWorker(WorkerHost[EmailJob, Receipt])`; other types are left unchecked.
        options: of the engine's worker, see `bullworks.bullmq.Worker`: concurrency, limiter, lock_duration, ...; with
            `batch=Batch(size=100)` `process` is called with a list of jobs.

    Raises:
        InvalidOptionError: the name or an option cannot be used.
        ProcessorClassError: the class does not inherit WorkerHost, or has neither `process` nor `@process` methods, or
            both; or it has such methods and batch=.
        JobNameError: two methods process jobs of one name.
    """
    checked_keys("bull", queue)
    WorkerOpts.of(options)
    if process_pool is not None:
        checks.whole("process_pool", process_pool, 1)
    if process_pool is not None and options.get("batch") is not None:
        raise InvalidOptionError("batch", "does not go with process_pool=: a process is given one job at a time")
    if process_factory is not None and process_pool is None:
        raise InvalidOptionError("process_factory", "goes with process_pool= only; here modules provide the host")

    def mark(cls: type[T]) -> type[T]:
        methods = _methods(cls, queue)
        if methods and options.get("batch") is not None:
            problem = f"which has batch= and @process methods, for {', '.join(sorted(methods))}"
            advice = "a batch has one handler: write `process`, and look at job.name in it"
            raise ProcessorClassError(cls.__name__, queue, f"{problem}; {advice}")
        name = worker_name or _class_name(cls)
        types = [given or named for given, named in zip((data_type, result_type), _named_types(cls), strict=True)]
        PayloadTypes.of(*types)
        spec = ProcessorSpec(queue, name, methods, options, process_pool, process_factory, config_key, *types)
        setattr(cls, PROCESSOR, spec)
        return cls if scope is None else injectable(scope=scope)(cls)

    return mark


def _named_types(cls: type[Any]) -> tuple[Any, Any]:
    """The models and dataclasses in the brackets of WorkerHost, where the class or a base of it says some."""
    for base in (base for each in cls.__mro__ for base in vars(each).get("__orig_bases__", ())):
        if get_origin(base) is WorkerHost:
            data, result, *_ = (*get_args(base), None, None)
            return (data if is_typed(data) else None), (result if is_typed(result) else None)
    return None, None


def worker_name_of(cls: type[Any]) -> str:
    """Return the name by which ENABLED_WORKERS refers to a class, a processor or not."""
    spec = vars(cls).get(PROCESSOR)
    return spec.worker_name if isinstance(spec, ProcessorSpec) else _class_name(cls)


def _class_name(cls: type[Any]) -> str:
    return snake_case(cls.__name__).removesuffix("_worker")


def _methods(cls: type[Any], queue: str) -> dict[str, str]:
    if not issubclass(cls, WorkerHost):
        problem = f"which has no WorkerHost among its bases; write `class {cls.__name__}(WorkerHost):`"
        raise ProcessorClassError(cls.__name__, queue, problem)
    methods = job_methods(cls)
    has_process = hasattr(cls, "process")
    if methods and has_process:
        problem = f"which has `process`, for all jobs, and @process methods, for {', '.join(sorted(methods))}; keep one"
        raise ProcessorClassError(cls.__name__, queue, problem)
    if not methods and not has_process:
        problem = (
            "which has no process; write `async def process(self, job: Job) -> Any` in it, "
            'or such methods with @process("job-name")'
        )
        raise ProcessorClassError(cls.__name__, queue, problem)
    return methods
