"""A small shop whose orders are flows: what is tested in testing modules."""

from typing import Annotated, Any

import pytest

from bullworks.bullmq import FlowJob, FlowProducer, Job, Queue
from bullworks.core import module
from bullworks.testing import Test, TestingModuleBuilder, UnnamedServerError
from bullworks.workers import BullModule, InjectFlowProducer, InjectQueue, WorkerHost, processor

CART: FlowJob = {
    "name": "ship",
    "queue_name": "orders",
    "children": [{"name": "pack", "queue_name": "lines", "data": {"item": item}} for item in ("tea", "milk")],
}


class Checkout:
    def __init__(
        self,
        flows: Annotated[FlowProducer, InjectFlowProducer()],
        orders: Annotated[Queue, InjectQueue("orders")],
    ) -> None:
        self.flows, self.orders = flows, orders


@processor("orders")
class OrderWorker(WorkerHost):
    async def process(self, job: Job) -> Any:
        return sorted(value["packed"] for value in (await job.get_children_values()).values())


@processor("lines")
class LineWorker(WorkerHost):
    async def process(self, job: Job) -> Any:
        return {"packed": job.data["item"]}


@module(
    imports=[BullModule.register_queue("orders", "lines"), BullModule.register_flow_producer()],
    providers=[Checkout, OrderWorker, LineWorker],
    exports=[Checkout],
)
class ShopModule: ...


def shop(root: Any = None) -> TestingModuleBuilder:
    """Its testing module, over what the settings say or over another root."""
    return Test.create_testing_module(imports=[root or BullModule.for_root(), ShopModule])


async def refused(call: Any) -> str:
    """What the test is told."""
    with pytest.raises(UnnamedServerError) as caught:
        await call
    assert "secret" not in str(caught.value)
    return str(caught.value)
