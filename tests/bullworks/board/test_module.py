"""BoardModule: the board of an application, by its settings or from code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from unittest.mock import create_autospec

import httpx
import pytest

from bullworks.board import BadBasePathError, BoardModule, BoardQueue, BoardService, SameQueueNameError, basic_auth
from bullworks.bullmq import Queue
from bullworks.core import Application, ModuleContainer, create_application, module
from bullworks.web import NotLoopbackError, WebModule, WebServer
from bullworks.workers import BullModule
from tests.bullworks.settings.conftest import VARIABLES

Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)


@pytest.fixture
def application(redis_url: str, key_prefix: str) -> Callable[..., Application]:
    """An application with two queues and this board, not started."""

    def make(board: ModuleContainer, *, host: str | None = None, providers: Any = ()) -> Application:
        workers = BullModule.for_root(
            connection=redis_url, prefix=key_prefix, queues=("email", "images"), providers=providers
        )

        @module(imports=[workers, WebModule.for_root(host=host, port=0), board])
        class Shop:
            """Queues and a board."""

        return create_application(Shop)

    return make


@pytest.fixture
def serve(application: Callable[..., Application]) -> Serve:
    """Runs it; a client for it."""

    @asynccontextmanager
    async def run(board: ModuleContainer, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        async with await application(board, **options) as app:
            url = app.get(WebServer).url
            assert url is not None
            async with httpx.AsyncClient(base_url=url) as client:
                yield client

    return run


async def names(client: httpx.AsyncClient, path: str = "/admin/queues") -> list[str]:
    answer = await client.get(f"{path}/api/queues")
    assert answer.status_code == 200, answer.text
    return [queue["name"] for queue in answer.json()["queues"]]


async def test_all_queues_of_the_application_are_shown(serve: Serve) -> None:
    async with serve(BoardModule.for_root(auth=None)) as client:
        assert await names(client) == ["email", "images"]
        assert (await client.get("/admin/queues")).headers["Location"] == "queues/"  # whatever a proxy calls it
        page = await client.get("/admin/queues", follow_redirects=True)
        assert page.url.path == "/admin/queues/"
        assert page.headers["Content-Security-Policy"]


async def test_the_settings_say_where_and_for_whom(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "BOARD_PATH": "/ops/board",
        "BOARD_TITLE": "Post office",
        "BOARD_PASSWORD": "s3cret",
        "BOARD_TOKEN": "t0ken",
        "BOARD_READ_ONLY": "true",
        "BOARD_HIDDEN_QUEUES": "im*",
        "BOARD_ALLOWED_HOSTS": "board.example.com",
    }.items():
        monkeypatch.setenv(name, value)
    async with serve(BoardModule.for_root()) as client:
        assert (await client.get("/ops/board/api/queues")).status_code == 401
        client.auth = ("admin", "s3cret")
        assert await names(client, "/ops/board") == ["email"]
        host = {"Host": "board.example.com"}
        assert (await client.get("/ops/board/api/queues", headers=host)).status_code == 200
        assert (await client.get("/ops/board/api/queues", headers={"Host": "evil.example"})).status_code == 403
        listed = (await client.get("/ops/board/api/queues")).json()["queues"]
        assert listed[0]["readOnlyMode"] is True
        client.auth = None
        bearer = {"Authorization": "Bearer t0ken"}
        changed = await client.put("/ops/board/api/queues/email/pause", headers=bearer)
        assert changed.status_code == 405
        assert (await client.get("/admin/queues/")).status_code == 404


async def test_code_goes_before_the_settings(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOARD_READ_ONLY", "true")
    monkeypatch.setenv("BOARD_PATH", "/elsewhere")
    async with serve(BoardModule.for_root(base_path="/here/", read_only=False)) as client:
        listed = (await client.get("/here/api/queues")).json()["queues"]
        assert listed[0]["readOnlyMode"] is False
    async with serve(BoardModule.for_root(auth=None)) as client:  # nothing is read from the environment then
        assert (await names(client)) == ["email", "images"]


async def test_it_can_be_switched_off(application: Callable[..., Application], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOARD_ENABLED", "false")
    async with await application(BoardModule.for_root()) as app:
        assert app.get(WebServer).url is None  # there is nothing else to serve


async def test_without_auth_another_address_ends_the_start(application: Callable[..., Application]) -> None:
    with pytest.raises(NotLoopbackError, match="BOARD_PASSWORD"):
        await application(BoardModule.for_root(), host="0.0.0.0")


async def test_with_auth_another_address_is_served_under_allowed_names(serve: Serve) -> None:
    auth = basic_auth({"ops": "right"})
    async with serve(BoardModule.for_root(auth=auth, allowed_hosts=["board.test"]), host="0.0.0.0") as client:
        port = client.base_url.port
        local = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=("ops", "right"))
        async with local:
            assert await names(local) == ["email", "images"]
            for host, status in (("board.test", 200), ("0.0.0.0", 403), ("elsewhere.test", 403)):
                answer = await local.get("/admin/queues/api/queues", headers={"Host": host})
                assert answer.status_code == status


async def test_queues_of_ones_own_and_how_registered_ones_look(serve: Serve, redis_url: str, key_prefix: str) -> None:
    async with Queue[Any]("email", connection=redis_url, prefix=f"{key_prefix}-other") as other:
        board = BoardModule.for_root(
            auth=None,
            queues=[BoardQueue(queue=other, name="other email")],
            queue_options={
                "email": {
                    "display_name": "E-mail",
                    "description": "sent at once",
                    "delimiter": ".",
                    "allow_retries": False,
                    "data_schema": {"type": "object"},
                },
                "images": {"read_only": True, "name": "pictures"},
            },
        )
        async with serve(board) as client:
            listed = {q["name"]: q for q in (await client.get("/admin/queues/api/queues")).json()["queues"]}
            assert list(listed) == ["other email", "email", "pictures"]
            email = listed["email"]
            shown = (email["displayName"], email["description"], email["delimiter"], email["allowRetries"])
            assert shown == ("E-mail", "sent at once", ".", False)
            assert email["allowCompletedRetries"] is False
            assert listed["pictures"]["readOnlyMode"] is True
            schema = await client.get("/admin/queues/api/queues/email/job-data-schema")
            assert schema.json() == {"type": "object"}


async def test_two_queues_of_one_name_end_the_start(
    application: Callable[..., Application], redis_url: str, key_prefix: str
) -> None:
    async with Queue[Any]("email", connection=redis_url, prefix=f"{key_prefix}-other") as other:
        with pytest.raises(SameQueueNameError, match="two queues of the board are called 'email'"):
            await application(BoardModule.for_root(auth=None, queues=[other]))


@pytest.mark.parametrize("path", ["", "admin", "/", "/a//b", "/a/../b", "/a b", "/ü", "/a?b", "/%41", "/{x}"])
def test_a_path_that_cannot_be_used_is_refused(path: str) -> None:
    with pytest.raises(BadBasePathError, match="cannot be used"):
        BoardModule.for_root(auth=None, base_path=path)


async def test_a_queue_that_a_test_replaced_is_not_shown(redis_url: str, key_prefix: str) -> None:
    workers = BullModule.for_root(connection=redis_url, prefix=key_prefix, queues=("email", "images"))

    @module(imports=[workers, WebModule.for_root(port=0), BoardModule.for_root(auth=None)])
    class Shop:
        """Queues and a board."""

    app = create_application(Shop)
    app.container.email_queue.override(create_autospec(Queue, instance=True))
    async with await app as running:
        assert [entry.shown_name for entry in running.get(BoardService).board.queues] == ["images"]


async def test_default_job_options_are_shown_by_npms_names(serve: Serve, redis_url: str, key_prefix: str) -> None:
    options: Any = {"attempts": 3, "backoff": 500, "remove_on_complete": True, "keep_logs": 5}
    own = Queue[Any]("own", connection=redis_url, prefix=key_prefix, default_job_options=options)
    async with own, serve(BoardModule.for_root(auth=None, queues=[own])) as client:
        shown = await client.get("/admin/queues/api/queues/own/default-job-options")
        assert shown.json() == {
            "attempts": 3,
            "backoff": {"type": "fixed", "delay": 500},
            "removeOnComplete": True,
            "keepLogs": 5,
        }


async def test_it_is_served_while_the_application_runs(
    application: Callable[..., Application],
) -> None:
    app = await application(BoardModule.for_root(auth=None))
    url = app.get(WebServer).url
    assert url is not None
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/admin/queues/")).status_code == 200
        await app.close()
        with pytest.raises(httpx.ConnectError):
            await client.get("/admin/queues/")
