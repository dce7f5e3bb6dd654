"""Shutdown hooks: a signal closes in order, a second one forces."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bullworks.core import ForcedShutdownError, Shutdown, create_application, dynamic_module


class App: ...


def application(*providers: Any) -> Any:
    return create_application(dynamic_module(App, providers=providers))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_closes_and_its_name_reaches_the_hooks(number: signal.Signals) -> None:
    seen = []

    class Service:
        def on_application_shutdown(self, signal: str | None) -> None:
            seen.append(signal)

    async with await application(Service) as app:
        app.enable_shutdown_hooks(end_process=False)
        os.kill(os.getpid(), number)
        assert await asyncio.wait_for(app.wait_for_shutdown(), 5) == number.name
    assert seen == [number.name]


async def test_a_signal_closes_even_if_nobody_waits_for_it() -> None:
    closed = asyncio.Event()

    class Service:
        def on_application_shutdown(self) -> None:
            closed.set()

    app = await application(Service)
    app.enable_shutdown_hooks(signal.SIGTERM, end_process=False)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(closed.wait(), 5)
    await app.close()


async def test_the_previous_handlers_come_back_after_closing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with await application() as app:
        app.enable_shutdown_hooks(end_process=False)
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


async def test_close_ends_the_wait_without_a_signal() -> None:
    app = await application()
    waiting = asyncio.ensure_future(app.wait_for_shutdown())
    await app.close()
    assert await asyncio.wait_for(waiting, 5) is None


async def test_a_second_signal_tells_waiting_hooks_to_give_up() -> None:
    entered = asyncio.Event()

    class Drain:
        def __init__(self, shutdown: Shutdown) -> None:
            self.shutdown = shutdown

        async def on_application_drain(self) -> None:
            entered.set()
            await self.shutdown.forced.wait()

    async with await application(Drain) as app:
        app.enable_shutdown_hooks(end_process=False)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(entered.wait(), 5)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(app.close(), 5)


async def test_a_hook_that_never_ends_is_abandoned_after_a_second_signal() -> None:
    entered = asyncio.Event()

    class Stuck:
        async def on_module_destroy(self) -> None:
            entered.set()
            await asyncio.Event().wait()

    app = await application(Stuck)
    app.enable_shutdown_hooks(end_process=False)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(entered.wait(), 5)
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(app.close(), 5)
    (error,) = caught.value.exceptions
    assert isinstance(error, ForcedShutdownError)
    assert str(error) == ("shutdown was forced while Stuck.on_module_destroy() was running; later hooks did not run")


async def test_shutdown_says_whether_the_application_was_asked_to_stop() -> None:
    class Service:
        def __init__(self, shutdown: Shutdown) -> None:
            self.shutdown = shutdown

    async with await application(Service) as app:
        shutdown = app.get(Service).shutdown
        assert not shutdown.requested.is_set()
        await app.close("SIGTERM")
        assert shutdown.requested.is_set()
        assert shutdown.signal == "SIGTERM"


SERVICE = """
import asyncio
from bullworks.core import create_application, module

class Service:
    def on_application_shutdown(self, signal):
        print("closed by", signal, flush=True)

@module(providers=[Service])
class App: ...

async def main():
    async with await create_application(App) as app:
        app.enable_shutdown_hooks()
        print("ready", flush=True)
        await app.wait_for_shutdown()

asyncio.run(main())
"""


@pytest.mark.process
async def test_a_process_ends_with_exit_code_0_on_sigterm() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVICE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 10) == b"ready\n"
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), 10)
    assert output == b"closed by SIGTERM\n"
    assert process.returncode == 0


async def test_a_signal_that_another_thread_gets_wakes_a_sleeping_loop() -> None:
    """The kernel may hand a process's signal to any thread; the main one sleeps in its selector meanwhile."""
    async with await application() as app:
        app.enable_shutdown_hooks(end_process=False)
        asleep = threading.Event()

        def take_it() -> None:
            asleep.wait(5)
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

        taker = threading.Thread(target=take_it)
        taker.start()
        asyncio.get_running_loop().call_later(0.05, asleep.set)  # by then nothing but this wait is left to do
        assert await asyncio.wait_for(app.wait_for_shutdown(), 30) == "SIGTERM"
        taker.join(5)


async def test_run_starts_waits_and_closes() -> None:
    seen = []

    class Service:
        def on_application_bootstrap(self) -> None:
            seen.append("up")
            asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(app.close()))

        def on_application_shutdown(self) -> None:
            seen.append("down")

    app = application(Service)
    assert await asyncio.wait_for(app.run(), 5) is None
    assert seen == ["up", "down"]


STUCK_START = """
import asyncio
from bullworks.core import create_application, module

class Service:
    async def on_module_init(self):
        print("starting", flush=True)
        await asyncio.Event().wait()
    def on_module_destroy(self):
        print("never initialised", flush=True)

class First:
    def on_application_shutdown(self, signal):
        print("closed by", signal, flush=True)

@module(providers=[First, Service])
class App: ...

print(asyncio.run(create_application(App).run()))
"""


async def test_a_signal_while_it_starts_ends_the_start_and_closes_what_had_started() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STUCK_START, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 20) == b"starting\n"
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert output == b"closed by SIGTERM\nSIGTERM\n"
    assert process.returncode == 0
