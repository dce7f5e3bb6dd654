"""TestingModule: what `compile()` makes; an application whose hooks have not run."""

from typing import Any, TypeVar

from bullworks.core import Application, Discovery, ModuleContainer, ModuleRef
from bullworks.testing.harness_flow_producer import HarnessFlowProducer
from bullworks.testing.harness_group import HarnessGroup
from bullworks.testing.harness_queue import HarnessQueue
from bullworks.workers.enhancers.adding import AddSide
from bullworks.workers.enhancers.placing import Placed
from bullworks.workers.explorer import Explorer, FoundProcessor
from bullworks.workers.tokens import FlowProducerToken, QueueToken

T = TypeVar("T")


class TestingRoot:
    """The class of a testing module's root."""

    __test__ = False

    def __init__(self, modules: ModuleRef, discovery: Discovery) -> None:
        self.modules = modules
        self.discovery = discovery


class TestingModule(Application):
    """A built testing module: `get()`, `resolve()`, `create()`; `init()` runs start hooks, `close()` stop hooks.

    Entering it, or awaiting it, is `init()`; leaving it is `close()`. Before `init()`, what is overridden on
    `container` reaches everybody: consumers that exist are built again when they are next asked for.

    Attributes:
        harnesses: those of `use_harness`, to be worked off together.
    """

    __test__ = False

    def __init__(self, container: ModuleContainer, harnesses: HarnessGroup) -> None:
        super().__init__(container)
        self.harnesses = harnesses

    async def create(self, cls: type[T]) -> T:
        """Create an instance of a class that no module provides; see ModuleRef.create.

        Raises:
            WiringError: one of its dependencies is not visible in the testing module.
        """
        return await self.modules.create(cls)

    @property
    def modules(self) -> ModuleRef:
        """The modules that the testing module imports."""
        return self.get(TestingRoot).modules

    def attach_harnesses(self) -> None:
        """Connect each harness to the processors of its queue in these modules."""
        for entry in self._graph.entries():
            if isinstance(entry.token, QueueToken) and isinstance(entry.instance, HarnessQueue):
                entry.instance.source = self
                for processor in self._processors_of(entry.token.queue_name):
                    entry.instance.use_types(processor.spec.data_type, processor.spec.result_type)
                self._surround(entry.instance)
            elif isinstance(entry.token, FlowProducerToken) and isinstance(entry.instance, HarnessFlowProducer):
                self._surround(entry.instance)

    async def processors_of(self, queue_name: str) -> list[FoundProcessor]:
        """Return a queue's processors with all overrides so far; outdated ones are rebuilt."""
        await self.container.build_async()
        return self._processors_of(queue_name)

    def places_of(self, processor: FoundProcessor, method: str) -> list[Placed]:
        """The enhancers around a method of one of them."""
        return self._explored().places_of(processor, method)

    def _processors_of(self, queue_name: str) -> list[FoundProcessor]:
        return [each for each in self._explored().processors if each.spec.queue == queue_name]

    def _explored(self) -> Explorer:
        return Explorer.explore(self.get(TestingRoot).discovery)

    def _surround(self, adder: HarnessQueue[Any] | HarnessFlowProducer) -> None:
        AddSide(lambda: self._explored().add_places(), self.modules).attach(adder)
