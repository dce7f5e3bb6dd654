"""Users need no casts: mypy --strict and pyright accept this file's example, and see the types it claims."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

EXAMPLE = """
from typing import Annotated, Any, TypedDict, assert_type

from app.bullmq import CancelSignal, Job, Queue, QueueEvents, SyncJob, Worker
from app.bullmq.flow_producer import FlowProducer
from app.core import create_application, injectable, module
from app.workers import (
    FlowProducerOptions,
    InjectFlowProducer,
    InjectQueue,
    QueueEventsHost,
    QueueOptions,
    WorkerHost,
    WorkersModule,
    get_flow_producer_token,
    get_queue_token,
    on_queue_event,
    on_worker_event,
    process,
    processor,
    queue_events_listener,
)


class Mail(TypedDict):
    to: str


@processor("email", concurrency=5, metrics={"max_data_points": 60}, limiter={"max": 1, "duration": 1_000})
class EmailWorker(WorkerHost[Mail, int]):
    def __init__(
        self,
        queue: Annotated[Queue, InjectQueue("email")],
        typed: Annotated[Queue[Mail], InjectQueue("email")],
        flows: Annotated[FlowProducer, InjectFlowProducer()],
        orders: Annotated[FlowProducer, InjectFlowProducer("orders")],
    ) -> None:
        assert_type(queue, Queue[Any])
        assert_type(typed, Queue[Mail])
        assert_type(flows, FlowProducer)
        assert_type(orders, FlowProducer)

    async def process(self, job: Job[Mail, int], signal: CancelSignal) -> int:
        assert_type(job.data["to"], str)
        assert_type(self.worker, Worker[Mail, int])
        return 1

    @on_worker_event("completed")
    def on_completed(self, job: Job[Mail, int], result: int) -> None: ...


@processor("images", process_pool=4, process_factory="package.module:make")
class ImageWorker(WorkerHost):
    @process("resize", "crop")
    def resize(self, job: SyncJob) -> str:
        return "done"

    @process("look")
    async def look(self, job: Job) -> None: ...


@processor("thumbnails")
class ThumbnailWorker(WorkerHost[Mail, str]):
    def process(self, job: SyncJob[Mail, str], signal: CancelSignal) -> str:
        return str(signal.reason)


class PlainWorker(WorkerHost):
    async def process(self, job: Job) -> Any: ...


class SignalledWorker(PlainWorker):
    async def process(self, job: Job, signal: CancelSignal | None = None) -> Any:
        assert_type(self.worker, Worker[Any, Any])


@queue_events_listener("email", last_event_id="0")
class EmailListener(QueueEventsHost):
    @on_queue_event("completed")
    async def on_completed(self, args: dict[str, Any], event_id: str) -> None:
        assert_type(self.queue_events, QueueEvents)
        assert_type(self.queue_events.last_event_id, str)

    async def load_last_event_id(self) -> str | None:
        return "0"


def queue_options(worker: EmailWorker) -> QueueOptions:
    return {"prefix": "p", "default_job_options": {"attempts": 3}, "streams": {"events": {"max_len": 10}}}


async def producer_options() -> FlowProducerOptions:
    return {"prefix": "p"}


@module(
    imports=[
        WorkersModule.for_root(queues=["email"], providers=[EmailListener]),
        WorkersModule.register_queue("email", "images", default_job_options={"attempts": 3}),
        WorkersModule.register_queue_async("sms", use_factory=queue_options),
        WorkersModule.register_flow_producer(),
        WorkersModule.register_flow_producer("orders", prefix="p"),
        WorkersModule.register_flow_producer_async("x", use_factory=producer_options),
    ],
    providers=[EmailWorker, ImageWorker],
)
class App: ...


async def main() -> None:
    async with await create_application(App) as app:
        assert_type(app.get(get_queue_token("email")), Queue[Any])
        assert_type(app.get(get_flow_producer_token()), FlowProducer)
        assert_type(app.get(EmailWorker).worker, Worker[Mail, int])
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "example.py"
    path.write_text(EXAMPLE)
    return path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={"MYPYPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.timeout(120)
def test_mypy_needs_no_cast(example: Path) -> None:
    checked = run("mypy", "--strict", "--config-file", "", str(example))
    assert checked.returncode == 0, checked.stdout


@pytest.mark.timeout(120)
def test_pyright_needs_no_cast(example: Path) -> None:
    pytest.importorskip("pyright")
    settings = {"include": [str(example)], "extraPaths": [str(ROOT)], "pythonVersion": "3.11"}
    project = example.with_name("pyrightconfig.json")
    project.write_text(json.dumps(settings))
    checked = run("pyright", "--project", str(project), "--pythonpath", sys.executable)
    assert checked.returncode == 0, checked.stdout + checked.stderr
