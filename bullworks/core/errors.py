"""Errors of the module system. All derive from dependency-injector's own `Error`."""

from collections.abc import Sequence
from dataclasses import dataclass

from dependency_injector.errors import Error

from bullworks.core.error_text import render
from bullworks.core.problems import Problem
from bullworks.errors import FactError


class CoreError(FactError, Error):
    """Base of the errors about modules, providers or the application."""


@dataclass(eq=False)
class WiringError(CoreError):
    """The modules do not fit together. Raised before anything is built, with every problem at once."""

    problems: Sequence[Problem]

    def __str__(self) -> str:
        return render(self.problems)


@dataclass(eq=False)
class UnknownProviderError(CoreError, AttributeError):
    """No provider has the requested token or attribute."""

    wanted: str
    module: str
    near: str | None
    known: Sequence[str]

    def __str__(self) -> str:
        advice = f"did you mean {self.near}?" if self.near else f"it has: {', '.join(self.known) or 'nothing'}"
        return f"{self.module} has no provider {self.wanted}; {advice}"


@dataclass(eq=False)
class AmbiguousProviderError(CoreError, AttributeError):
    """Several modules provide the requested token, each with its own provider."""

    wanted: str
    modules: Sequence[str]

    def __str__(self) -> str:
        return (
            f"{', '.join(self.modules)} each provide {self.wanted}. Ask one of them: app.select(TheModule).get(...), "
            "or app.container.the_module.the_provider; or provide it in one module and export it"
        )


@dataclass(eq=False)
class AsyncFactoryError(CoreError):
    """A sync call needs an object whose factory has to be awaited."""

    wanted: str
    factory: str

    def __str__(self) -> str:
        what = self.wanted if self.wanted == self.factory else f"{self.wanted} needs {self.factory}, which"
        return (
            f"{what} has an async factory and is not built yet: "
            f"`await ....resolve({self.wanted})`, or `await ....build_async()`"
        )


@dataclass(eq=False)
class BuildCircleError(CoreError):
    """A running constructor or factory requested something that depends on its own object."""

    wanted: str
    asking: str

    def __str__(self) -> str:
        return (
            f"{self.wanted} was asked for while it was being built, by {self.asking}: ask for it later, when it is "
            "used or in on_module_init, not in a constructor or a factory"
        )


@dataclass(eq=False)
class RecipeInUseError(CoreError):
    """An override on a container that an open application has copied would have no effect."""

    token: str
    module: str

    def __str__(self) -> str:
        return (
            f"{self.token} can't be overridden on {self.module} here: an application that imports it was made "
            "before, with a copy of its own. Override on app.container, or before the application is made"
        )


@dataclass(eq=False)
class ApplicationStateError(CoreError):
    """The application's state does not allow the call."""

    application: str
    problem: str

    def __str__(self) -> str:
        return f"{self.application}: {self.problem}"


@dataclass(eq=False)
class RequestError(CoreError):
    """A REQUEST-scoped provider was requested where it is not available; `problem` says why."""

    wanted: str
    problem: str

    def __str__(self) -> str:
        return f"{self.wanted} {self.problem}"

    @classmethod
    def not_of_one(cls, wanted: str) -> "RequestError":
        """Build the error for a request value whose provider is shared by all requests."""
        return cls(wanted, "can't be given to a request, which it would outlive: provide it with scope=Scope.REQUEST")


@dataclass(eq=False)
class ForcedShutdownError(CoreError):
    """A second signal arrived, and the rest of the shutdown was skipped."""

    hook: str

    def __str__(self) -> str:
        return f"shutdown was forced while {self.hook} was running; later hooks did not run"


class OverrideTooLateWarning(UserWarning):
    """An override came after its consumers were built; they keep the original."""
