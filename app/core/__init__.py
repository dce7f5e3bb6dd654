"""The module system: modules, providers and their lifecycle, on dependency-injector."""

from app.core.application import Application, create_application
from app.core.arity import most_arguments
from app.core.container import ModuleContainer
from app.core.discovery import (
    DiscoveredClass,
    DiscoveredMethod,
    DiscoveredModule,
    DiscoveredProvider,
    Discovery,
    ProviderKind,
    marked_methods,
    methods_of,
)
from app.core.dynamic import dynamic_module
from app.core.errors import (
    AmbiguousProviderError,
    ApplicationStateError,
    AsyncFactoryError,
    CoreError,
    ForcedShutdownError,
    OverrideTooLateWarning,
    RecipeInUseError,
    RequestError,
    UnknownProviderError,
    WiringError,
)
from app.core.markers import Inject, Lazy
from app.core.module import ForwardRef, module
from app.core.module_ref import ModuleRef
from app.core.provide import Binding, injectable, provide
from app.core.scope import Scope
from app.core.shutdown import Shutdown
from app.core.tokens import AnyToken, Token, snake_case

__all__ = [
    "AmbiguousProviderError",
    "AnyToken",
    "Application",
    "ApplicationStateError",
    "AsyncFactoryError",
    "Binding",
    "CoreError",
    "DiscoveredClass",
    "DiscoveredMethod",
    "DiscoveredModule",
    "DiscoveredProvider",
    "Discovery",
    "ForcedShutdownError",
    "ForwardRef",
    "Inject",
    "Lazy",
    "ModuleContainer",
    "ModuleRef",
    "OverrideTooLateWarning",
    "ProviderKind",
    "RecipeInUseError",
    "RequestError",
    "Scope",
    "Shutdown",
    "Token",
    "UnknownProviderError",
    "WiringError",
    "create_application",
    "dynamic_module",
    "injectable",
    "marked_methods",
    "methods_of",
    "module",
    "most_arguments",
    "provide",
    "snake_case",
]
