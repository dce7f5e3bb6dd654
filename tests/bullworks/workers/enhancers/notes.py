"""Enhancers that write down when they are called."""

from collections.abc import Sequence
from typing import Any

from bullworks.workers import AddContext, CallHandler, JobContext, catch


class Notes(list[Any]):
    """What happened, in order."""


class Noting:
    """Base of those below: an enhancer with a name, that is its class's."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    def note(self, what: str) -> None:
        self.notes.append(f"{type(self).__name__} {what}")


class NotingGuard(Noting):
    def can_activate(self, context: JobContext) -> bool:
        self.note("guards")
        return True

    async def can_add(self, context: AddContext) -> bool:
        self.note(f"guards {context.job.name}")
        return True


class NotingInterceptor(Noting):
    async def intercept(self, context: JobContext, call: CallHandler) -> Any:
        self.note("before")
        result = await call.handle()
        self.note("after")
        return result

    async def intercept_add(self, contexts: Sequence[AddContext], call: CallHandler) -> None:
        names = " ".join(context.job.name for context in contexts)
        self.note(f"before {names}")
        await call.handle()
        self.note(f"after {names}")


class NotingPipe(Noting):
    def transform(self, value: Any, context: JobContext) -> Any:
        self.note("pipes")
        return f"{value}>{type(self).__name__}"

    async def transform_add(self, value: Any, context: AddContext) -> Any:
        self.note("pipes")
        return f"{value}+{type(self).__name__}"


@catch(KeyError)
class NotingFilter(Noting):
    def catch(self, error: Exception, context: JobContext) -> Any:
        self.note(f"catches {error!r}")

    async def catch_add(self, error: Exception, contexts: Sequence[AddContext]) -> None:
        self.note(f"catches {error!r}")
