"""The module system: modules, providers and their lifecycle, on dependency-injector."""

import bullworks.core.late_fastapi  # noqa: F401 - before dependency-injector is imported

# isort: split
from bullworks.arity import most_arguments
from bullworks.core.application import Application, create_application
from bullworks.core.command import CommandToken, command
from bullworks.core.companions import needs_beside
from bullworks.core.container import ModuleContainer
from bullworks.core.discovery import (
    DiscoveredClass,
    DiscoveredMethod,
    DiscoveredModule,
    DiscoveredProvider,
    Discovery,
    ProviderKind,
    marked_methods,
    methods_of,
)
from bullworks.core.durable_contexts import ContextKey, ContextStrategy
from bullworks.core.dynamic import dynamic_module
from bullworks.core.errors import (
    AmbiguousProviderError,
    ApplicationStateError,
    AsyncFactoryError,
    BuildCircleError,
    CoreError,
    ForcedShutdownError,
    OverrideTooLateWarning,
    RecipeInUseError,
    RequestError,
    UnknownProviderError,
    WiringError,
)
from bullworks.core.hints import register_mark
from bullworks.core.lazy_modules import LazyModuleLoader
from bullworks.core.markers import Inject, Lazy
from bullworks.core.module import ForwardRef, module
from bullworks.core.module_ref import ModuleRef
from bullworks.core.options_source import OptionsSource, options_key, provide_options
from bullworks.core.provide import Binding, injectable, provide, provide_setup
from bullworks.core.scope import Scope
from bullworks.core.shutdown import Shutdown, SignalHandlers
from bullworks.core.tokens import AnyToken, RepeatableToken, Token, label, snake_case

__all__ = [
    "AmbiguousProviderError",
    "AnyToken",
    "Application",
    "ApplicationStateError",
    "AsyncFactoryError",
    "Binding",
    "BuildCircleError",
    "CommandToken",
    "ContextKey",
    "ContextStrategy",
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
    "LazyModuleLoader",
    "ModuleContainer",
    "ModuleRef",
    "OptionsSource",
    "OverrideTooLateWarning",
    "ProviderKind",
    "RecipeInUseError",
    "RepeatableToken",
    "RequestError",
    "Scope",
    "Shutdown",
    "SignalHandlers",
    "Token",
    "UnknownProviderError",
    "WiringError",
    "command",
    "create_application",
    "dynamic_module",
    "injectable",
    "label",
    "marked_methods",
    "methods_of",
    "module",
    "most_arguments",
    "needs_beside",
    "options_key",
    "provide",
    "provide_options",
    "provide_setup",
    "register_mark",
    "snake_case",
]
