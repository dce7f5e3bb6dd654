"""When HTTP is served, where, and what ends the start."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from bullworks.core import Shutdown, create_application
from bullworks.settings import SettingsError, SettingsSource
from bullworks.web import BadAddressError, NotLoopbackError, PortTakenError, RoutesTwiceError, WebModule, WebServer
from bullworks.web.options import WebOptions, complete
from bullworks.web.settings import WebSettings
from tests.bullworks.waiting import BUSY_S
from tests.bullworks.web.conftest import Serving, contributing, get, says


async def test_routes_of_several_modules_are_served_together(serving: Serving) -> None:
    async with serving(contributing("one", says("1", "/one")), contributing("two", says("2", "/two"))) as app:
        assert (await get(app, "/one")).text == "1"
        assert (await get(app, "/two")).text == "2"
        assert (await get(app, "/three")).status_code == 404


async def test_an_asgi_app_is_mounted_with_its_root_path_and_the_raw_path_it_was_asked(serving: Serving) -> None:
    async def show(scope: Any, receive: Any, send: Any) -> None:
        seen = f"{scope['root_path']} {scope['raw_path'].decode()}"
        await PlainTextResponse(seen)(scope, receive, send)

    async with serving(contributing("board", Mount("/admin/queues", show))) as app:
        assert (await get(app, "/admin/queues/queue/a%2Fb:c")).text == "/admin/queues /admin/queues/queue/a%2Fb:c"


async def test_a_client_is_whoever_holds_the_connection_whatever_a_header_says(serving: Serving) -> None:
    async def show(request: Request) -> PlainTextResponse:
        assert request.client is not None
        return PlainTextResponse(request.client.host)

    async with serving(contributing("who", Route("/who", show))) as app:
        assert (await get(app, "/who", headers={"X-Forwarded-For": "10.1.2.3"})).text == "127.0.0.1"


async def test_the_server_does_not_say_what_it_is(serving: Serving) -> None:
    async with serving(contributing("status", says("ok"))) as app:
        assert "server" not in (await get(app, "/status")).headers


async def test_an_error_of_a_handler_is_logged_and_told_to_nobody(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Request) -> PlainTextResponse:
        raise LookupError("the inside")

    async with serving(contributing("bad", Route("/bad", fail))) as app:
        answer = await get(app, "/bad")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert "the inside" in caplog.text


async def test_answers_begin_after_every_bootstrap_hook_and_the_port_is_taken_before(serving: Serving) -> None:
    seen: list[str] = []

    class Late:
        def __init__(self, server: WebServer) -> None:
            self.server = server

        async def on_application_bootstrap(self) -> None:
            with pytest.raises(httpx.ReadTimeout):
                async with httpx.AsyncClient(timeout=0.2) as client:
                    await client.get(f"{self.server.url}/status")
            seen.append("silent")

    async with serving(contributing("status", says("ok")), providers=[Late]) as app:
        assert (await get(app, "/status")).text == "ok"
    assert seen == ["silent"]


async def test_answers_are_given_while_work_is_drained_and_none_after(serving: Serving) -> None:
    answers: list[str] = []
    urls: list[str] = []

    class Draining:
        def __init__(self, server: WebServer) -> None:
            self.server = server

        async def on_application_drain(self) -> None:
            urls.append(f"{self.server.url}/status")
            async with httpx.AsyncClient(timeout=5) as client:
                answers.append((await client.get(urls[0])).text)

        async def on_application_shutdown(self) -> None:
            async with httpx.AsyncClient(timeout=5) as client:
                with pytest.raises(httpx.ConnectError):
                    await client.get(urls[0])
            answers.append("refused")

    async with serving(contributing("status", says("ok")), providers=[Draining]) as app:
        assert app.get(WebServer).url
    assert answers == ["ok", "refused"]
    assert app.get(WebServer).url is None


async def test_a_stream_without_end_is_cut_off_and_does_not_hold_the_end_up(serving: Serving) -> None:
    cut_off = asyncio.Event()

    async def for_ever() -> AsyncIterator[str]:
        try:
            yield "begun\n"
            await asyncio.Event().wait()
        finally:
            cut_off.set()

    async def stream(_: Request) -> StreamingResponse:
        return StreamingResponse(for_ever())

    app = await serving(contributing("stream", Route("/stream", stream)))
    async with (
        httpx.AsyncClient(timeout=5) as client,
        client.stream("GET", f"{app.get(WebServer).url}/stream") as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == "begun"
        begun_s = asyncio.get_running_loop().time()
        await app.close()
        assert asyncio.get_running_loop().time() - begun_s < BUSY_S
        assert cut_off.is_set()


async def test_a_stream_that_watches_the_shutdown_ends_in_order(serving: Serving) -> None:
    class Watching:
        def __init__(self, shutdown: Shutdown) -> None:
            self.shutdown = shutdown

    async def until_the_end() -> AsyncIterator[str]:
        yield "begun\n"
        await app.get(Watching).shutdown.requested.wait()
        yield "bye\n"

    async def stream(_: Request) -> StreamingResponse:
        return StreamingResponse(until_the_end())

    app = await serving(contributing("stream", Route("/stream", stream)), providers=[Watching])
    async with (
        httpx.AsyncClient(timeout=5) as client,
        client.stream("GET", f"{app.get(WebServer).url}/stream") as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == "begun"
        await app.close()
        assert await anext(lines) == "bye"


async def test_a_taken_port_ends_the_start_before_anything_begins(serving: Serving) -> None:
    begun: list[str] = []

    class Worker:
        def on_application_start(self) -> None:
            begun.append("work")

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{port} is in use.*HTTP_PORT"):
            await serving(contributing("status", says("ok")), providers=[Worker], port=port)
    assert begun == []


async def test_a_taken_port_is_only_a_warning_where_that_was_asked_for(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with serving(contributing("status", says("ok")), port=port, serve="if-free") as app:
            assert app.get(WebServer).url is None
    assert f"127.0.0.1:{port} is taken" in caplog.text


async def test_the_port_is_free_again_after_a_failed_start_and_after_the_end(serving: Serving) -> None:
    class Failing:
        def on_application_bootstrap(self) -> None:
            raise LookupError("later")

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(LookupError, match="later"):
        await serving(contributing("status", says("ok")), providers=[Failing], port=port)
    for _ in range(3):
        async with serving(contributing("status", says("ok")), port=port) as app:
            assert (await get(app, "/status")).text == "ok"


async def test_one_application_starts_and_stops_again_and_again(serving: Serving) -> None:
    app = serving(contributing("status", says("ok")))
    for _ in range(3):
        async with app:
            assert (await get(app, "/status")).text == "ok"
        await app.close()


@pytest.mark.parametrize(("routes", "serve"), [((says("ok"),), "never"), ((), "always")])
async def test_nothing_listens_without_need(serving: Serving, routes: tuple[Route, ...], serve: Any) -> None:
    switched_off = contributing("board", loopback_only="it would not matter")
    async with serving(contributing("status", *routes), switched_off, serve=serve, host="0.0.0.0") as app:
        assert app.get(WebServer).port is None


async def test_routes_for_this_machine_only_are_not_served_to_others(serving: Serving) -> None:
    board = contributing("board", says("ok"), loopback_only="it has no auth; set BOARD_TOKEN")
    with pytest.raises(NotLoopbackError, match=r"board is not served at 0\.0\.0\.0.*set BOARD_TOKEN"):
        await serving(board, host="0.0.0.0")
    async with serving(board, host="localhost") as app:
        assert (await get(app, "/status")).text == "ok"


async def test_other_routes_are_served_at_every_address(serving: Serving) -> None:
    async with serving(contributing("status", says("ok")), host="0.0.0.0") as app, httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{app.get(WebServer).port}/status", timeout=5)).text == "ok"


async def test_an_address_of_ipv6_is_written_with_brackets(serving: Serving) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with serving(contributing("status", says("ok")), host="::1") as app:
        assert str(app.get(WebServer).url).startswith("http://[::1]:")
        assert (await get(app, "/status")).text == "ok"


@pytest.mark.parametrize(("host", "port"), [("no-such-host.invalid", 0), ("192.0.2.1", 0), ("127.0.0.1", 70_000)])
async def test_an_address_that_is_none_of_ours_ends_the_start(serving: Serving, host: str, port: int) -> None:
    with pytest.raises(BadAddressError, match="cannot listen at"):
        await serving(contributing("status", says("ok")), host=host, port=port)


async def test_one_path_of_two_modules_ends_the_start(serving: Serving) -> None:
    with pytest.raises(RoutesTwiceError, match="/status is served by Root > one and by Root > two"):
        await serving(contributing("one", says("1")), contributing("two", says("2")))


async def test_signals_stay_the_application_s_own(serving: Serving) -> None:
    async with serving(contributing("status", says("ok"))) as app:
        app.enable_shutdown_hooks(end_process=False)
        assert (await get(app, "/status")).text == "ok"
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(app.wait_for_shutdown(), 5) == "SIGTERM"


async def test_the_log_says_where_and_what_is_served(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with serving(contributing("status", says("ok"))) as app:
            url = app.get(WebServer).url
    assert f"serving {url}: /status" in caplog.messages
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_what_is_left_out_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "4321")
    monkeypatch.setenv("HTTP_SERVE", "if-free")
    setup = complete(WebOptions(host="::1"), SettingsSource()[WebSettings])
    assert (setup.host, setup.port, setup.serve) == ("::1", 4321, "if-free")
    assert complete(WebOptions(port=0)).serve == "always"
    with pytest.raises(ValueError, match="serve must be one of always, if-free, never"):
        complete(WebOptions(port=0, serve="sometimes"))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "value"), [("HTTP_PORT", "70000"), ("HTTP_SERVE", "maybe"), ("HTTP_HOST", "a b")])
async def test_wrong_settings_are_told(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}='{value}'"):
        await create_application(WebModule.for_root())
