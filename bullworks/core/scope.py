"""How long an instance lives."""

from enum import Enum


class Scope(Enum):
    """The lifetime of a provider's instances; each is implemented by a dependency-injector provider."""

    SINGLETON = "singleton"
    """One per application (`providers.Singleton`)."""
    TRANSIENT = "transient"
    """A new one for each consumer (`providers.Factory`)."""
    REQUEST = "request"
    """One per unit of work, such as a job, each in its own context (`providers.ContextLocalSingleton`).
    Consumers become REQUEST themselves."""
