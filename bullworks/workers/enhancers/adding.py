"""AddSide: guards, interceptors, pipes and filters around what adds jobs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

from bullworks.bullmq import FlowProducer, JobToAdd, Queue
from bullworks.core import ModuleRef
from bullworks.workers.enhancers.contexts import AddContext, CallHandler
from bullworks.workers.enhancers.errors import EnhancerAnswerError, GuardRefusedError
from bullworks.workers.enhancers.hooks import Hook, awaited, caught_by
from bullworks.workers.enhancers.kinds import FILTER, GUARD, INTERCEPTOR, PIPE, Kind
from bullworks.workers.enhancers.placing import Placed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProcessorPlaces:
    """The enhancers of one processor.

    Args:
        methods: by the names of jobs; under None for all.
        of_methods: by method.
    """

    cls: type[Any]
    methods: Mapping[str | None, str]
    of_class: Sequence[Placed]
    of_methods: Mapping[str, Sequence[Placed]]


@dataclass(frozen=True, slots=True)
class AddPlaces:
    """All enhancers of an application: for all jobs, and of the processors of each queue."""

    for_all: Sequence[Placed]
    by_queue: Mapping[str, Sequence[ProcessorPlaces]]

    @property
    def is_used(self) -> bool:
        """Whether any of them takes part when jobs are added."""
        of_processors = [each for processors in self.by_queue.values() for each in processors]
        lists = [each.of_class for each in of_processors]
        lists += [places for each in of_processors for places in each.of_methods.values()]
        return any(each.takes_part("add") for places in (self.for_all, *lists) for each in places)


@dataclass(frozen=True, slots=True)
class _Around:
    """What is around the jobs of one name."""

    cls: type[Any] | None
    method: str | None
    places: Sequence[Placed]
    is_per_request: bool


class _Ready(NamedTuple):
    """An enhancer's method, and, of a filter, the errors it is asked about; no method: it has no part in adding."""

    hook: Hook | None
    caught: tuple[type[Exception], ...]


class _Part(NamedTuple):
    """One enhancer in one call, and the jobs that it is for."""

    placed: Placed
    hook: Hook
    caught: tuple[type[Exception], ...]
    contexts: list[AddContext]


class AddSide:
    """Surrounds each call of the application's queues and flow producers that adds jobs.

    Args:
        find: looks for the application's enhancers, when the first job is added.
        modules: opens a request for what is REQUEST-scoped, where the caller is in none.
    """

    def __init__(self, find: Callable[[], AddPlaces], modules: ModuleRef) -> None:
        self._find = find
        self._modules = modules
        self._places: AddPlaces | None = None
        self._around: dict[tuple[str, str], _Around] = {}
        self._ready: dict[int, _Ready] = {}
        self._attached: list[Queue[Any] | FlowProducer] = []

    def attach(self, adder: Queue[Any] | FlowProducer) -> None:
        """Surround what this one adds, until it turns out that there is nothing to do."""
        adder.adding = self
        self._attached.append(adder)

    async def around(self, jobs: list[JobToAdd], store: Callable[[], Awaitable[T]]) -> T:
        """Run guards, interceptors and pipes around adding; see `bullworks.bullmq.Adding.around`.

        Raises:
            GuardRefusedError: a guard said no; nothing was added.
            EnhancerAnswerError: an enhancer answered what means nothing, or left `next.handle()` out.
        """
        if self._places is None:
            self._places = self._find()
            if not self._places.is_used:
                for adder in self._attached:
                    adder.adding = None
                self._attached.clear()
        arounds = [self._around_job(self._places, job) for job in jobs]
        if any(around.is_per_request for around in arounds) and not self._modules.is_in_request:
            async with self._modules.request():
                return await self._call(await self._parts(jobs, arounds), store)
        return await self._call(await self._parts(jobs, arounds), store)

    def _around_job(self, places: AddPlaces, job: JobToAdd) -> _Around:
        key = (job.queue_name, job.name)
        if key not in self._around:
            self._around[key] = _around_name(places, *key)
        return self._around[key]

    async def _parts(self, jobs: Sequence[JobToAdd], arounds: Sequence[_Around]) -> list[_Part]:
        found: dict[int, tuple[Placed, list[AddContext]]] = {}
        for job, around in zip(jobs, arounds, strict=True):
            context = AddContext(job, around.cls, around.method)
            for placed in around.places:
                found.setdefault(id(placed), (placed, []))[1].append(context)
        parts = []
        for placed, contexts in found.values():
            hook, caught = self._ready.get(id(placed)) or await self._get_ready(placed)
            if hook is not None:
                parts.append(_Part(placed, hook, caught, contexts))
        return parts

    async def _get_ready(self, placed: Placed) -> _Ready:
        enhancer = await placed.resolve()
        hook = getattr(enhancer, placed.kind.method("add"), None)
        ready = _Ready(None if hook is None else awaited(hook), caught_by(placed, enhancer))
        if not placed.is_per_request:
            self._ready[id(placed)] = ready
        return ready

    async def _call(self, parts: Sequence[_Part], store: Callable[[], Awaitable[T]]) -> T:
        stored: list[T] = []

        async def last() -> None:
            pipes = [(part.hook, context) for part in _of(PIPE, parts) for context in part.contexts]
            given = [(context.job, context.job.data) for _, context in pipes]
            try:
                for transform, context in pipes:
                    context.job.data = await transform(context.job.data, context)
                stored.append(await store())
            finally:
                for job, data in given:  # for an interceptor that stores them again
                    job.data = data

        try:
            for part in _of(GUARD, parts):
                for context in part.contexts:
                    _check_verdict(part.placed.name, await part.hook(context), context.job)
            surrounding = [partial(_surround, part, stored) for part in _of(INTERCEPTOR, parts)]
            await CallHandler(surrounding, None, last).handle()
        except Exception as error:
            for part in reversed(_of(FILTER, parts)):
                if isinstance(error, part.caught):
                    raise _verdict(part.placed.name, await part.hook(error, part.contexts), error) from error
            raise
        return stored[-1]


def _around_name(places: AddPlaces, queue_name: str, name: str) -> _Around:
    found: list[Placed] = list(places.for_all)
    processors = places.by_queue.get(queue_name, ())
    for processor in processors:
        found += processor.of_class
    method = None
    for processor in processors:
        its_method = processor.methods.get(name) or processor.methods.get(None)
        if its_method is not None:
            method = method or its_method
            found += processor.of_methods.get(its_method, ())
    cls = processors[0].cls if processors else None
    taking_part = [placed for placed in found if placed.takes_part("add")]
    return _Around(cls, method, taking_part, any(placed.is_per_request for placed in taking_part))


async def _surround(part: _Part, stored: Sequence[object], _: None, following: CallHandler) -> None:
    before = len(stored)
    await part.hook(part.contexts, following)
    if len(stored) == before:
        expected = "once it has awaited next.handle(), which stores the jobs, or raises"
        raise EnhancerAnswerError(f"{part.placed.name}.intercept_add", "and nothing was stored", expected)


def _of(kind: Kind, parts: Sequence[_Part]) -> list[_Part]:
    return [part for part in parts if part.placed.kind is kind]


def _check_verdict(guard: str, verdict: object, job: JobToAdd) -> None:
    if verdict is False:
        raise GuardRefusedError(guard, job.name, job.queue_name)
    if verdict is not True:
        raise EnhancerAnswerError(f"{guard}.can_add", repr(verdict), "True or False")


def _verdict(name: str, verdict: object, error: Exception) -> Exception:
    if verdict is None:
        return error
    if isinstance(verdict, Exception):
        return verdict
    return EnhancerAnswerError(f"{name}.catch_add", repr(verdict), "an error, or None: the error stands")
