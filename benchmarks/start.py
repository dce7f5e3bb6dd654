"""How long a service of many modules takes to start, step by step, without and with its connections.

Each module has a queue, a processor, and services with a hook that need each other and one of the module before. The
first figure is of a process whose queues are replaced, so that nothing is connected to: linking, the check of the whole
graph, building, hooks. Then the same with its workers on a real server, each of which has a connection of its own.
"""

import argparse
import asyncio
import gc
import platform
import statistics
import time
from typing import Annotated, Any, NamedTuple

from benchmarks.redis_process import RedisProcess
from bullworks.bullmq import Job, Queue
from bullworks.core import create_application, module
from bullworks.workers import BullModule, InjectQueue, WorkerHost, processor

LIMIT_MS = 50.0
"""What a user's service of 50 modules may take besides its connections."""


def feature(number: int, services: int, before: type[Any] | None) -> tuple[type[Any], type[Any]]:
    """A module, and the last of its services, which it exports."""
    queue = f"queue-{number}"
    made: list[type[Any]] = []
    needed = before
    for index in range(services):
        made.append(_service(f"Service{number}Of{index}", needed))
        needed = made[-1]
    worker = processor(queue)(_worker(f"Feature{number}Worker", made[-1], queue))
    imports = [BullModule.register_queue(queue)]
    if before is not None:
        imports.append(vars(before)["module"])
    cls = module(imports=imports, providers=[*made, worker], exports=[made[-1]])(type(f"Feature{number}Module", (), {}))
    setattr(made[-1], "module", cls)  # noqa: B010
    return cls, made[-1]


def _service(name: str, needed: type[Any] | None) -> type[Any]:
    def init(self: Any, needed: Any = None) -> None:
        self.needed = needed

    async def on_module_init(self: Any) -> None:
        self.is_ready = True

    if needed is not None:
        init.__annotations__["needed"] = needed
    return type(name, (), {"__init__": init, "on_module_init": on_module_init})


def _worker(name: str, service: type[Any], queue: str) -> type[Any]:
    def init(self: Any, service: Any, queue: Any) -> None:
        self.service, self.queue = service, queue

    async def process(self: Any, job: Job) -> None: ...

    init.__annotations__ = {"service": service, "queue": Annotated[Queue, InjectQueue(queue)]}
    return type(name, (WorkerHost,), {"__init__": init, "process": process})


def service_of(modules: int, services: int, url: str) -> type[Any]:
    """The root module of a whole service."""
    imports: list[Any] = [BullModule.for_root(connection=url)]
    last: type[Any] | None = None
    for number in range(modules):
        cls, last = feature(number, services, last)
        imports.append(cls)
    return module(imports=imports)(type("AppModule", (), {}))


class Started(NamedTuple):
    wall_ms: float
    cpu_ms: float
    linking_cpu_ms: float
    providers: int


async def start(root: type[Any], *, connects: bool) -> Started:
    """Milliseconds it took; of CPU time; of that, for linking; and how many providers there are."""
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    application = create_application(root)
    linking_s, linking_cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
    if not connects:
        for provider in list(application.discovery.providers()):
            if provider.path[-1].startswith("queue:"):
                application.container.provider_of(provider.token).override(object())
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    async with application:
        starting_s, starting_cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
        providers = sum(1 for _ in application.discovery.providers())
    return Started(
        (linking_s + starting_s) * 1e3, (linking_cpu_s + starting_cpu_s) * 1e3, linking_cpu_s * 1e3, providers
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--modules", type=int, default=50, help="feature modules (default 50)")
    parser.add_argument("--services", type=int, default=4, help="services in each (default 4)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds, of which the median counts (default 9)")
    options = parser.parse_args()
    print(
        f"{options.modules} feature modules, each with a queue, a processor and {options.services} services; ", end=""
    )
    print(f"Python {platform.python_version()}")
    with RedisProcess() as server:
        for connects in (False, True):
            rounds = []
            for _ in range(options.rounds):
                root = service_of(options.modules, options.services, server.url)
                gc.collect()  # of the round before
                rounds.append(asyncio.run(start(root, connects=connects)))
            wall_ms, cpu_ms, linking_ms, providers = (statistics.median(column) for column in zip(*rounds, strict=True))
            what = "with its workers" if connects else "besides connections"
            print(
                f"  {what}: {wall_ms:.1f} ms, {cpu_ms:.1f} ms of CPU, {linking_ms:.1f} of it for linking; "
                f"{providers:.0f} providers"
            )
            # by CPU time: others may use the machine
            if not connects and cpu_ms > LIMIT_MS:
                raise SystemExit(f"that is more than {LIMIT_MS:.0f} ms")


if __name__ == "__main__":
    main()
