"""What an application is made of, as plain facts: read from what modules and decorators say, with nothing built."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bullworks.core import (
    DiscoveredModule,
    DiscoveredProvider,
    Discovery,
    ModuleRef,
    ProviderKind,
    Scope,
    Shutdown,
    label,
)
from bullworks.schedule.decorators.deferred import format_option
from bullworks.schedule.explorer import marks_of
from bullworks.workers.events_listener import LISTENER, ListenerSpec
from bullworks.workers.processor import PROCESSOR, ProcessorSpec
from bullworks.workers.tokens import FlowProducerToken, QueueToken

_EVERYWHERE = (ModuleRef, Discovery, Shutdown)


@dataclass(frozen=True, slots=True)
class ModuleOutline:
    """The providers, exports, queues and schedules of one module.

    Args:
        number: by which others name it in `imports`; names may repeat.
        exports: tokens and modules, by name.
        providers, queues, flow_producers, processors, listeners, schedules: its own, each as a JSON object.
    """

    number: int
    name: str
    is_global: bool
    imports: tuple[int, ...]
    exports: list[str]
    providers: list[dict[str, Any]]
    queues: list[dict[str, Any]]
    flow_producers: list[dict[str, Any]]
    processors: list[dict[str, Any]]
    listeners: list[dict[str, Any]]
    schedules: list[dict[str, Any]]


def outline(discovery: Discovery) -> list[ModuleOutline]:
    """Outline all modules, leaf modules first; the root is the last."""
    modules = list(discovery.modules())
    names = {module.number: module.name for module in modules}
    return [_outline(module, names) for module in modules]


def _outline(module: DiscoveredModule, names: dict[int, str]) -> ModuleOutline:
    providers = [each for each in module.providers if each.token not in (module.cls, *_EVERYWHERE)]
    classes = [(cls, provider) for provider in providers for cls in _class_of(provider)]
    return ModuleOutline(
        module.number,
        module.name,
        module.is_global,
        module.imports,
        exports=[names[each] if isinstance(each, int) else label(each) for each in module.exports],
        providers=[_provider(each) for each in providers],
        queues=[_queue(each.token) for each in providers if isinstance(each.token, QueueToken)],
        flow_producers=[
            {"name": each.token.producer_name} for each in providers if isinstance(each.token, FlowProducerToken)
        ],
        processors=[found for cls, each in classes for found in _processors(cls, each)],
        listeners=[found for cls, _ in classes for found in _listeners(cls)],
        schedules=[
            {
                "class": cls.__name__,
                "method": method,
                "schedule": str(mark),
                "name": _option(getattr(mark, "name", None)),
                "distributed": _option(getattr(mark, "distributed", False)),
            }
            for cls, _ in classes
            for method, mark in marks_of(cls)
        ],
    )


def _option(value: object) -> object:
    """An option as JSON: itself, or in words where it is known only at the start."""
    return value if value is None or isinstance(value, str | bool) else format_option(value)


def _class_of(provider: DiscoveredProvider) -> Iterator[type[Any]]:
    if provider.made_from is not None and provider.kind is not ProviderKind.ALIAS:
        yield provider.made_from


def _provider(provider: DiscoveredProvider) -> dict[str, Any]:
    return {
        "token": label(provider.token),
        "kind": provider.kind.value,
        "scope": provider.scope.value,
        "lazy": provider.scope is Scope.SINGLETON and not provider.is_eager,
    }


def _queue(token: QueueToken) -> dict[str, Any]:
    return {"name": token.queue_name, "config_key": token.config_key}


def _processors(cls: type[Any], provider: DiscoveredProvider) -> Iterator[dict[str, Any]]:
    spec = vars(cls).get(PROCESSOR)
    if isinstance(spec, ProcessorSpec):
        yield {
            "class": cls.__name__,
            "queue": spec.queue,
            "worker": spec.worker_name,
            "concurrency": spec.options.get("concurrency", 1),
            "jobs": sorted(spec.methods),
            "scope": provider.scope.value,
            "process_pool": spec.process_pool,
        }


def _listeners(cls: type[Any]) -> Iterator[dict[str, Any]]:
    spec = vars(cls).get(LISTENER)
    if isinstance(spec, ListenerSpec):
        yield {"class": cls.__name__, "queue": spec.queue}
