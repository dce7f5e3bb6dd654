"""Paths are split before they are decoded, wherever the board is mounted."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from bullworks.board import board_app
from bullworks.board.paths import base_of, segments_of
from bullworks.bullmq import Queue
from tests.bullworks.board.client import BoardClient


def scope(path: str, *, root: str = "", raw: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "http", "path": path, "root_path": root}
    return found if raw is None else {**found, "raw_path": raw.encode()}


@pytest.mark.parametrize(
    ("given", "segments", "base"),
    [
        (scope("/"), (), "/"),
        (scope("/api/queues", raw="/api/queues"), ("api", "queues"), "/"),
        (scope("/admin/api/q", root="/admin", raw="/admin/api/q"), ("api", "q"), "/admin/"),
        (scope("/admin", root="/admin", raw="/admin"), (), "/admin/"),
        (scope("/admin/", root="/admin", raw="/admin/"), (), "/admin/"),
        # A framework that takes the mount's path away.
        (scope("/api/q", root="/admin", raw="/api/q"), ("api", "q"), "/admin/"),
        (scope("/administer", root="/admin", raw="/administer"), ("administer",), "/admin/"),
        (scope("/q/a/b", raw="/q/a%2Fb"), ("q", "a/b"), "/"),
        (scope("/q/a%2Fb", raw="/q/a%252Fb"), ("q", "a%2Fb"), "/"),
        (scope("/q/a b"), ("q", "a b"), "/"),
        (scope("/q/x", raw="/q/x?y=/z"), ("q", "x"), "/"),
        (scope("/ü/x", root="/ü", raw="/%C3%BC/x"), ("x",), "/%C3%BC/"),
        (scope("/q//x", raw="/q//x"), ("q", "", "x"), "/"),
    ],
)
def test_a_path_is_what_follows_the_mount(given: dict[str, Any], segments: tuple[str, ...], base: str) -> None:
    assert segments_of(given) == segments
    assert base_of(given) == base


ODD_IDS = ["a/b", "a:b:c", "a%2Fb", "50%", "ü b", "..", "logs", "a?b#c", "add", "'\"<>", "&=+", "\U0001f41f"]


@pytest.mark.parametrize("job_id", ODD_IDS)
async def test_any_id_leads_to_its_job(queue: Queue[Any], job_id: str) -> None:
    """Node may have stored ids that ours refuses."""
    await queue.connection.execute("HSET", queue.keys.of(job_id), "name", "odd", "data", '{"of": 1}', "timestamp", 1)
    await queue.connection.execute("LPUSH", queue.keys.of("wait"), job_id)
    made = BoardClient(board_app(queues=[queue]))
    quoted = quote(job_id, safe="") if job_id != ".." else "%2E%2E"
    answer = await made.get(f"api/queues/email/{quoted}")
    assert answer.json()["job"]["id"] == job_id
    assert answer.json()["status"] == "waiting"
    assert (await made.change("PUT", f"api/queues/email/{quoted}/clean")).status_code == 204
    assert await queue.count() == 0


@pytest.mark.parametrize("name", ["a b", "50%", "ü", "a%20b", "a/b", "pause"])
async def test_any_queue_name_is_shown_and_listed(redis_url: str, key_prefix: str, name: str) -> None:
    async with Queue[Any](name, connection=redis_url, prefix=key_prefix) as queue:
        await queue.add("job", {"n": 1})
        made = BoardClient(board_app(queues=[queue]))
        # The page encodes the name once for itself, and axios encodes it once more.
        active = quote(quote(name, safe=""), safe="")
        (listed,) = (await made.get(f"api/queues?activeQueue={active}")).json()["queues"]
        assert [job["data"] for job in listed["jobs"]] == [{"n": 1}]
        assert (await made.get(f"api/queues/{quote(name, safe='')}/1")).json()["job"]["name"] == "job"
        assert (await made.change("PUT", f"api/queues/{quote(name, safe='')}/pause")).json() == {}
        assert await queue.is_paused()


@pytest.mark.parametrize("path", ["/admin/queues", "/", "/a/b/c", "/intern ü"])
@pytest.mark.parametrize("framework", ["starlette", "fastapi", "nested"])
async def test_the_board_mounts_at_any_path_of_any_app(queue: Queue[Any], path: str, framework: str) -> None:
    board = board_app(queues=[queue])
    if framework == "fastapi":
        outer: Any = FastAPI()
        outer.mount(path, board)
    elif framework == "starlette":
        outer = Starlette(routes=[Mount(path, board)])
    else:
        inner = Starlette(routes=[Mount(path, board)])
        outer = FastAPI()
        outer.mount("/outer", inner)
    base = quote(("/outer" if framework == "nested" else "") + path.rstrip("/"))
    made = BoardClient(outer, path="")
    made._path = base
    page = await made.get("")
    assert page.status_code == 200
    assert f'href="{base}/' in page.text or f"{base}/-/" in page.text or base == ""
    assert (await made.get("api/queues")).json()["queues"][0]["name"] == "email"
    assert (await made.get("-/")).status_code == 200
    assert (await made.change("PUT", "api/queues/email/pause")).json() == {}
    assert f"Path={base or '/'};" in page.headers["Set-Cookie"]


async def test_the_board_alone_is_an_app_with_a_lifespan(queue: Queue[Any]) -> None:
    said: list[Any] = []
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(asked)

    async def send(message: Any) -> None:
        said.append(message["type"])

    await board_app(queues=[queue])({"type": "lifespan"}, receive, send)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    await board_app(queues=[queue])({"type": "websocket"}, receive, send)
    assert said[-1] == "websocket.close"
