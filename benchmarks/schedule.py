"""What 10,000 registered crons cost one process: the start, the CPU while nothing runs, and how late ticks are.

The crons are decorated methods of providers, as users write them, with thousands of different expressions. Figures of a
shared machine are noisy: lateness counts whatever else runs here.
"""

import argparse
import asyncio
import platform
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bullworks.core import Application, create_application, dynamic_module
from bullworks.schedule import ScheduleModule, cron

METHODS_A_CLASS = 100
# Until every first tick has been found, which goes on in the background.
SETTLE_S = 3.0


class Crons:
    """Classes of crons, and how late each run was."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []

    def application(self, expressions: list[str]) -> Application:
        """An application with a cron of each expression."""

        class Root: ...

        chunks = [expressions[i : i + METHODS_A_CLASS] for i in range(0, len(expressions), METHODS_A_CLASS)]
        providers = [self._class(number, chunk) for number, chunk in enumerate(chunks)]
        return create_application(dynamic_module(Root, imports=[ScheduleModule.for_root()], providers=providers))

    def _class(self, number: int, expressions: list[str]) -> type[Any]:
        methods = {f"cron_{index}": self._method(expression) for index, expression in enumerate(expressions)}
        return type(f"Worker{number}", (), methods)

    def _method(self, expression: str) -> Callable[..., Awaitable[None]]:
        @cron(expression)
        async def run(self: object) -> None:
            del self
            # ticks are at full seconds
            late.append(time.time() % 1 * 1000)

        late = self.late_ms
        return run


def idle_expressions(count: int) -> list[str]:
    """Each different, none due in the next hours: days and minutes of next month."""
    month = time.localtime().tm_mon % 12 + 1
    return [f"{n % 60} {n // 60 % 24} {n // 1440 % 28 + 1} {month} *" for n in range(count)]


def busy_expressions(count: int) -> list[str]:
    """Of each hundred one every second, nine every ten seconds at different ones, the rest every minute."""

    def expression(n: int) -> str:
        if n % 100 == 0:
            return "* * * * * *"
        if n % 100 < 10:
            return f"{n % 10}-59/10 * * * * *"
        return f"{n % 60} * * * * *"

    return [expression(n) for n in range(count)]


def same_second_expressions(count: int) -> list[str]:
    """All due in the same seconds, six times a minute."""
    return [f"{time.localtime().tm_sec % 10}-59/10 * * * * *"] * count


async def started(application: Application) -> float:
    """Start it; seconds."""
    begun_s = time.perf_counter()
    await application
    return time.perf_counter() - begun_s


async def idle(count: int, seconds: float) -> None:
    application = Crons().application(idle_expressions(count))
    start_s = await started(application)
    await asyncio.sleep(SETTLE_S)
    cpu_s = time.process_time()
    await asyncio.sleep(seconds)
    cpu_percent = (time.process_time() - cpu_s) / seconds * 100
    await application.close()
    print(
        f"idle         {count} different crons: start {start_s:5.2f} s   CPU {cpu_percent:5.2f} % over {seconds:.0f} s"
    )


async def late(label: str, count: int, expressions: list[str], seconds: float) -> None:
    crons = Crons()
    application = crons.application(expressions)
    start_s = await started(application)
    cpu_s = time.process_time()
    await asyncio.sleep(seconds)
    cpu_percent = (time.process_time() - cpu_s) / seconds * 100
    await application.close()
    late_ms = sorted(crons.late_ms)
    if not late_ms:
        raise RuntimeError("nothing ran")

    def at(share: float) -> float:
        return late_ms[min(len(late_ms) - 1, int(len(late_ms) * share))]

    print(
        f"{label:12} {count} crons: start {start_s:5.2f} s   "
        f"{len(late_ms)} runs in {seconds:.0f} s, CPU {cpu_percent:5.2f} %   "
        f"late ms: p50 {at(0.5):5.1f}  p99 {at(0.99):5.1f}  max {late_ms[-1]:5.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedule", description=__doc__)
    parser.add_argument("--crons", type=int, default=10_000, help="how many (default 10000)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each part (default 20)")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}")
    count, seconds = options.crons, options.seconds
    asyncio.run(idle(count, seconds))
    asyncio.run(late("busy", count, busy_expressions(count), seconds))
    asyncio.run(late("same second", 1_000, same_second_expressions(1_000), min(seconds, 10)))


if __name__ == "__main__":
    main()
