"""The module system: modules, providers and their lifecycle, on dependency-injector."""

from .application import Application, create_application
from .arity import most_arguments
from .container import ModuleContainer
from .discovery import DiscoveredClass, DiscoveredMethod, Discovery, methods_of
from .dynamic import dynamic_module
from .errors import (
    AmbiguousProviderError,
    ApplicationStateError,
    AsyncFactoryError,
    CoreError,
    ForcedShutdownError,
    OverrideTooLateWarning,
    RecipeInUseError,
    UnknownProviderError,
    WiringError,
)
from .markers import Inject, Lazy
from .module import ForwardRef, module
from .module_ref import ModuleRef
from .provide import Binding, injectable, provide
from .scope import Scope
from .shutdown import Shutdown
from .tokens import AnyToken, Token, snake_case

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
    "Discovery",
    "ForcedShutdownError",
    "ForwardRef",
    "Inject",
    "Lazy",
    "ModuleContainer",
    "ModuleRef",
    "OverrideTooLateWarning",
    "RecipeInUseError",
    "Scope",
    "Shutdown",
    "Token",
    "UnknownProviderError",
    "WiringError",
    "create_application",
    "dynamic_module",
    "injectable",
    "methods_of",
    "module",
    "most_arguments",
    "provide",
    "snake_case",
]
