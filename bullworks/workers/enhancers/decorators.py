"""`@use_guards`, `@use_interceptors`, `@use_pipes` and `@use_filters` on processors, and `@catch` on filters."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bullworks.bullmq.worker.processor import is_async
from bullworks.core import label, marked_methods, most_arguments, needs_beside
from bullworks.workers.enhancers.errors import EnhancerClassError
from bullworks.workers.enhancers.kinds import FILTER, GUARD, INTERCEPTOR, PIPE, Kind

T = TypeVar("T", bound=Callable[..., Any])
C = TypeVar("C", bound=type[Any])

ENHANCERS = "__enhancers__"
CAUGHT = "__caught_errors__"


@dataclass(frozen=True, slots=True)
class Used:
    """One enhancer that a decorator names: a class, which modules build, or an object."""

    kind: Kind
    enhancer: Any


def use_guards(*guards: Any) -> Callable[[T], T]:
    """Have guards decide whether a job is run, or added: on a processor for all jobs of its queue, on a method for its.

    `can_activate(context: JobContext)` answers True: run it; False: it fails at once, with GuardRefusedError;
    `Delay(duration)`: later; `Complete(result)`: it is completed, its handler not run. `can_add(context: AddContext)`
    answers True, or False: `add` raises GuardRefusedError, and nothing is added. Both may be async.

    Args:
        guards: classes, built with their dependencies injected where no module provides them, or objects.

    Raises:
        EnhancerClassError: one of them has neither method.
    """
    return _use(GUARD, guards)


def use_interceptors(*interceptors: Any) -> Callable[[T], T]:
    """Have interceptors surround what a job's handler does, or what adds jobs; the first is the outermost.

    `async intercept(context: JobContext, next: CallHandler)` awaits `next.handle()`, and returns the job's result.
    `async intercept_add(contexts: Sequence[AddContext], next: CallHandler)` surrounds one call of `add`, `add_bulk` or
    a FlowProducer, with those of its jobs that it is for; it awaits `next.handle()`, or raises.

    Args and errors as `use_guards`.
    """
    return _use(INTERCEPTOR, interceptors)


def use_pipes(*pipes: Any) -> Callable[[T], T]:
    """Have pipes make of a job's data what its handler sees, or what is added; each gets what the one before returned.

    `transform(value, context: JobContext)`: what `job.data` is in the handler. Redis keeps what was added.
    `transform_add(value, context: AddContext)`: what is stored. Both may be async.

    Args and errors as `use_guards`.
    """
    return _use(PIPE, pipes)


def use_filters(*filters: Any) -> Callable[[T], T]:
    """Have exception filters decide what an error of a job, or of adding jobs, comes to: the first one that catches it.

    Those of the method are asked first, then those of the class, then global ones; of each, as in NestJS, the last
    first. `catch(error, context: JobContext)` raises or returns another error, such as an UnrecoverableError; or
    answers `Delay(duration)`, `RateLimit(duration)`, `Complete(result)`, or None: the error stands.
    `catch_add(error, contexts: Sequence[AddContext])` may raise or return another error. Both may be async.

    Args and errors as `use_guards`; a filter's class also has `@catch`.
    """
    return _use(FILTER, filters)


def catch(*errors: type[Exception]) -> Callable[[C], C]:
    """Say which errors, with their subclasses, an exception filter is asked about; all, if none is named.

    Raises:
        EnhancerClassError: one of them is no class of exceptions.
    """
    for error in errors:
        if not isinstance(error, type) or not issubclass(error, Exception):
            raise EnhancerClassError("@catch", repr(error), "is no class of exceptions, such as ValueError")

    def mark(cls: C) -> C:
        setattr(cls, CAUGHT, errors or (Exception,))
        return cls

    return mark


def class_enhancers(cls: type[Any]) -> list[Used]:
    """Return the enhancers of a class; those of its bases come first."""
    return [used for base in reversed(cls.__mro__) for used in vars(base).get(ENHANCERS, ())]


def has_enhancers(cls: type[Any]) -> bool:
    """Whether the class or a method of it has any."""
    return bool(class_enhancers(cls) or method_enhancers(cls))


def method_enhancers(cls: type[Any]) -> dict[str, list[Used]]:
    """Return the enhancers of a class's methods, by method."""
    return {name: list(marks) for name, marks in marked_methods(cls, ENHANCERS)}


def check_enhancer(kind: Kind, enhancer: Any, where: str) -> None:
    """Check that a class or an object is an enhancer of this kind. Raises EnhancerClassError."""
    name = enhancer_name(enhancer)
    methods = {method: written for method, written in kind.methods.items() if callable(getattr(enhancer, method, None))}
    if not methods:
        problem = f"has neither {' nor '.join(kind.methods)}; write `{kind.processing}: ...` in it"
        raise EnhancerClassError(where, name, problem)
    for method, written in methods.items():
        if kind is INTERCEPTOR and not is_async(getattr(enhancer, method)):
            raise EnhancerClassError(where, name, f"has a plain {method}, which cannot await; write `{written}`")
        if _takes_too_few(enhancer, method, len(written.split(", ")) - 1):
            raise EnhancerClassError(where, name, f"has a {method} that takes too few arguments; write `{written}`")
    if kind is FILTER and not hasattr(enhancer, CAUGHT):
        raise EnhancerClassError(
            where, name, "has no @catch above it; write `@catch(SomeError)`, or `@catch()` for all"
        )


def enhancer_name(enhancer: Any) -> str:
    """The class's name, of an object too."""
    return label(enhancer if isinstance(enhancer, type) else type(enhancer))


def _takes_too_few(enhancer: Any, method: str, wanted: int) -> bool:
    is_unbound = isinstance(enhancer, type) and inspect.isfunction(inspect.getattr_static(enhancer, method))
    offered = wanted + is_unbound
    return most_arguments(getattr(enhancer, method), offered) < offered


def _use(kind: Kind, enhancers: tuple[Any, ...]) -> Callable[[T], T]:
    where = f"@{kind.decorator}"
    if not enhancers:
        raise EnhancerClassError(where, "it", f"names at least one {kind.name}, as in {where}(SomeClass)")
    for enhancer in enhancers:
        check_enhancer(kind, enhancer, where)

    def mark(target: T) -> T:
        function = getattr(target, "__func__", target)
        said = vars(function).get(ENHANCERS, ())
        setattr(function, ENHANCERS, (*(Used(kind, each) for each in enhancers), *said))
        needs_beside(function, *(each for each in enhancers if isinstance(each, type)))
        return target

    return mark
