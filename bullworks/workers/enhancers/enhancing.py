"""Puts enhancers around what the engine's worker calls for a processor; without any, that stays what it is."""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bullworks.arity import bound_signature
from bullworks.bullmq import ProcessPool, Queue
from bullworks.bullmq.worker.batches.handler import BatchHandler
from bullworks.bullmq.worker.processor import Handle, Processor, is_async
from bullworks.workers.enhancers.chain import Chain, OpenRequest
from bullworks.workers.enhancers.enhanced import AsyncHandler, EnhancedPool, HostHandler, ThreadHandler
from bullworks.workers.enhancers.hooks import HookSource
from bullworks.workers.enhancers.placing import Placed
from bullworks.workers.per_job import HostPerJob
from bullworks.workers.processing import pool_of
from bullworks.workers.processor import ProcessorSpec

Places = Callable[[str], Sequence[Placed]]
"""The enhancers of a method, by its name: global ones, those of the class, those of the method."""


@dataclass(frozen=True, slots=True)
class Enhancing:
    """Puts enhancers around the handlers of one processor.

    Args:
        cls: its class.
        places: the enhancers of each method.
        queue: of the jobs.
        request: opens a job's request, as ModuleRef.request does.
    """

    cls: type[Any]
    spec: ProcessorSpec
    places: Places
    queue: Queue[Any]
    request: OpenRequest

    async def around(self, processor: Processor, hosts: HostPerJob | None = None) -> Processor:
        """The processor with enhancers around its handlers; the very same one where there are none.

        Args:
            hosts: make the hosts of jobs; None: there is one, whose methods the processor has.
        """
        names: Mapping[Any, str] = self.spec.methods or {None: "process"}
        chains = {name: await self._chain(method, hosts) for name, method in names.items()}
        used = {name: chain for name, chain in chains.items() if chain is not None}
        if not used:
            return processor
        if isinstance(processor, ProcessPool):
            pool = pool_of(self.cls, self.spec, EnhancedPool)
            pool.chains = used
            return pool
        if self.spec.options.get("batch") is not None and not isinstance(processor, Mapping):
            return BatchHandler(processor, partial(_around_each, used[None]))
        if not isinstance(processor, Mapping):
            return self._handler(used[None], "process", processor, hosts)
        return {
            name: self._handler(used[name], names[name], handle, hosts) if name in used else handle
            for name, handle in processor.items()
        }

    async def _chain(self, method: str, hosts: HostPerJob | None) -> Chain | None:
        source = HookSource(self.places(method))
        if not source.places:
            return None
        chain = Chain(source, self.cls, method, self.queue, self.request, is_per_job=hosts is not None)
        await chain.prepare()
        return chain

    def _handler(self, chain: Chain, method: str, handle: Handle, hosts: HostPerJob | None) -> Handle:
        signature = bound_signature(self.cls, method)

        async def target() -> Callable[..., Any]:
            return handle if hosts is None else getattr(await hosts.host(), method)

        if not is_async(getattr(self.cls, method)):
            return ThreadHandler(chain, target, signature, asyncio.get_running_loop())
        if hosts is None:
            return HostHandler(chain, handle, signature)
        return AsyncHandler(chain, target, signature)


def _around_each(chain: Chain, join: Handle) -> Handle:
    """Put enhancers around each job's part in a batch."""
    return HostHandler(chain, join, inspect.signature(join))
