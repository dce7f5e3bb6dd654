"""What stands in for providers and modules while an application is assembled: a test's own."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bullworks.core.module import ModuleSpec
from bullworks.core.provide import Binding
from bullworks.core.tokens import AnyToken

T = TypeVar("T")

ModuleKey = type[Any] | Hashable
"""A module's class, which stands for all dynamic modules made of it too, or one module's identity."""


@dataclass(slots=True)
class Substitutes:
    """Replacements of providers and modules, in effect in every module.

    Args:
        providers: by token, what provides it instead.
        modules: what is imported instead.
        adapt: makes of each binding that `providers` leaves alone the one that is used; all are looked at in the order
            in which modules list them.

    Attributes:
        used: the tokens and modules that were found.
        added: the module of those providers that were not.
    """

    providers: Mapping[AnyToken, Binding] = field(default_factory=dict)
    modules: Mapping[ModuleKey, Any] = field(default_factory=dict)
    adapt: Callable[[Binding], Binding] | None = None
    used: set[Any] = field(default_factory=set)
    added: ModuleSpec | None = None

    def binding(self, given: Binding, *tokens: AnyToken) -> Binding:
        """Return the binding that replaces `given` for these tokens, or `given`."""
        binding = given
        for token in tokens:
            binding = self._look_up(self.providers, token, binding)
        return binding if self.adapt is None or binding is not given else self.adapt(given)

    def module(self, reference: Any, spec: ModuleSpec) -> Any:
        """Return the replacement of an imported module, or the module itself."""
        by_class = self._look_up(self.modules, spec.cls, reference)
        return self._look_up(self.modules, spec.identity, by_class)

    @property
    def unused_providers(self) -> list[Binding]:
        """The replacements for tokens that no module provides."""
        return [binding for token, binding in self.providers.items() if token not in self.used]

    def as_module(self) -> ModuleSpec:
        """Build a global module of the unused replacements."""
        bindings = self.unused_providers
        tokens = [binding.token for binding in bindings]
        self.added = ModuleSpec("Substitutes", providers=bindings, exports=tokens, is_global=True)
        return self.added

    @property
    def unused_modules(self) -> list[ModuleKey]:
        """The replacements of modules that nothing imports."""
        return [key for key in self.modules if key not in self.used]

    def _look_up(self, substitutes: Mapping[Any, T], key: Any, given: T) -> T:
        if key not in substitutes:
            return given
        self.used.add(key)
        return substitutes[key]
