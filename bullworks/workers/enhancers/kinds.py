"""The four kinds of enhancers, and the methods by which each takes part in processing a job or in adding one."""

from dataclasses import dataclass
from typing import Literal

from bullworks.core import RepeatableToken

Side = Literal["process", "add"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of enhancers.

    Args:
        name: as messages have it.
        decorator: puts enhancers of this kind on a class or a method.
        processing: the method that takes part in processing a job, as its author writes it.
        adding: the method that takes part in adding a job.
        token: provides enhancers of this kind for all jobs.
    """

    name: str
    decorator: str
    processing: str
    adding: str
    token: "RepeatableToken[object]"

    @property
    def methods(self) -> dict[str, str]:
        """Both methods by name, that of processing first, as their author writes them."""
        return {self.method("process"): self.processing, self.method("add"): self.adding}

    def method(self, side: Side) -> str:
        """The name of the method for one side."""
        signature = self.processing if side == "process" else self.adding
        return signature.removeprefix("async def ").partition("(")[0]


APP_GUARD: RepeatableToken[object] = RepeatableToken("APP_GUARD")
"""Provides a guard for the jobs of all queues; `provide(APP_GUARD, use_class=TenantGuard)`, as often as there are."""

APP_INTERCEPTOR: RepeatableToken[object] = RepeatableToken("APP_INTERCEPTOR")
"""Provides an interceptor for the jobs of all queues."""

APP_PIPE: RepeatableToken[object] = RepeatableToken("APP_PIPE")
"""Provides a pipe for the jobs of all queues."""

APP_FILTER: RepeatableToken[object] = RepeatableToken("APP_FILTER")
"""Provides an exception filter for the jobs of all queues."""

GUARD = Kind(
    "guard",
    "use_guards",
    "async def can_activate(self, context: JobContext) -> bool",
    "async def can_add(self, context: AddContext) -> bool",
    APP_GUARD,
)
INTERCEPTOR = Kind(
    "interceptor",
    "use_interceptors",
    "async def intercept(self, context: JobContext, next: CallHandler) -> Any",
    "async def intercept_add(self, contexts: Sequence[AddContext], next: CallHandler) -> None",
    APP_INTERCEPTOR,
)
PIPE = Kind(
    "pipe",
    "use_pipes",
    "async def transform(self, value: Any, context: JobContext) -> Any",
    "async def transform_add(self, value: Any, context: AddContext) -> Any",
    APP_PIPE,
)
FILTER = Kind(
    "filter",
    "use_filters",
    "async def catch(self, error: Exception, context: JobContext) -> Any",
    "async def catch_add(self, error: Exception, contexts: Sequence[AddContext]) -> Exception | None",
    APP_FILTER,
)

KINDS = {kind.token.name: kind for kind in (GUARD, INTERCEPTOR, PIPE, FILTER)}
"""By the name of the token."""
