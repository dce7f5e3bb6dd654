"""Errors of the module system. All derive from dependency-injector's own `Error`."""

from collections.abc import Sequence

from dependency_injector.errors import Error

from bullworks.core.error_text import render
from bullworks.core.problems import Problem


class CoreError(Error):
    """Base of the errors about modules, providers or the application."""


class WiringError(CoreError):
    """The modules do not fit together. Raised before anything is built, with every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return render(self.problems)


class UnknownProviderError(CoreError, AttributeError):
    """No provider has the requested token or attribute."""

    def __init__(self, wanted: str, module: str, near: str | None, known: Sequence[str]) -> None:
        super().__init__(wanted, module, near, tuple(known))
        self.wanted = wanted
        self.module = module
        self.near = near
        self.known = tuple(known)

    def __str__(self) -> str:
        advice = f"did you mean {self.near}?" if self.near else f"it has: {', '.join(self.known) or 'nothing'}"
        return f"{self.module} has no provider {self.wanted}; {advice}"


class AmbiguousProviderError(CoreError, AttributeError):
    """Several modules provide the requested token, each with its own provider."""

    def __init__(self, wanted: str, modules: Sequence[str]) -> None:
        super().__init__(wanted, tuple(modules))
        self.wanted = wanted
        self.modules = tuple(modules)

    def __str__(self) -> str:
        return (
            f"{', '.join(self.modules)} each provide {self.wanted}. Ask one of them: app.select(TheModule).get(...), "
            "or app.container.the_module.the_provider; or provide it in one module and export it"
        )


class AsyncFactoryError(CoreError):
    """A sync call needs an object whose factory has to be awaited."""

    def __init__(self, wanted: str, factory: str) -> None:
        super().__init__(wanted, factory)
        self.wanted = wanted
        self.factory = factory

    def __str__(self) -> str:
        what = self.wanted if self.wanted == self.factory else f"{self.wanted} needs {self.factory}, which"
        return (
            f"{what} has an async factory and is not built yet: "
            f"`await ....resolve({self.wanted})`, or `await ....build_async()`"
        )


class BuildCircleError(CoreError):
    """A running constructor or factory requested something that depends on its own object."""

    def __init__(self, wanted: str, asking: str) -> None:
        super().__init__(wanted, asking)
        self.wanted = wanted
        self.asking = asking

    def __str__(self) -> str:
        return (
            f"{self.wanted} was asked for while it was being built, by {self.asking}: ask for it later, when it is "
            "used or in on_module_init, not in a constructor or a factory"
        )


class RecipeInUseError(CoreError):
    """An override on a container that an open application has copied would have no effect."""

    def __init__(self, token: str, module: str) -> None:
        super().__init__(token, module)
        self.token = token
        self.module = module

    def __str__(self) -> str:
        return (
            f"{self.token} can't be overridden on {self.module} here: an application that imports it was made "
            "before, with a copy of its own. Override on app.container, or before the application is made"
        )


class ApplicationStateError(CoreError):
    """The application's state does not allow the call."""

    def __init__(self, application: str, problem: str) -> None:
        super().__init__(application, problem)
        self.application = application
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.application}: {self.problem}"


class RequestError(CoreError):
    """A REQUEST-scoped provider was requested where it is not available; `problem` says why."""

    def __init__(self, wanted: str, problem: str) -> None:
        super().__init__(wanted, problem)
        self.wanted = wanted
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.wanted} {self.problem}"

    @classmethod
    def not_of_one(cls, wanted: str) -> "RequestError":
        """Build the error for a request value whose provider is shared by all requests."""
        return cls(wanted, "can't be given to a request, which it would outlive: provide it with scope=Scope.REQUEST")


class ForcedShutdownError(CoreError):
    """A second signal arrived, and the rest of the shutdown was skipped."""

    def __init__(self, hook: str) -> None:
        super().__init__(hook)
        self.hook = hook

    def __str__(self) -> str:
        return f"shutdown was forced while {self.hook} was running; later hooks did not run"


class OverrideTooLateWarning(UserWarning):
    """An override came after its consumers were built; they keep the original."""
