"""Who is answered at all: hosts, who connects, and what a change must bring with it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bullworks.board import bearer_auth, board_app
from bullworks.bullmq import Queue
from tests.bullworks.board.client import ORIGIN, BoardClient
from tests.bullworks.board.conftest import MakeBoard

READING = ["", "api/queues", "-/", "-/queue?name=email", "-/live", "static/favicon.ico", "queue/email/1"]


async def put(board: BoardClient, headers: dict[str, str], *, path: str = "api/queues/email/pause") -> httpx.Response:
    """A change with these headers only."""
    return await board.http.put(board.address(path), headers=headers)


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil", "", "[::1", "10.0.0.1"])
async def test_another_host_name_is_not_answered(board: MakeBoard, path: str, host: str) -> None:
    """A name of an attacker's that leads to this machine (DNS rebinding) gives a page of theirs nothing."""
    answer = await board().get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert "allowed_hosts" in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000", "[::1]"])
async def test_this_machines_names_are_answered_at_any_port(board: MakeBoard, host: str) -> None:
    assert (await board().get("api/queues", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("board.example.com", 200),
        ("a.internal", 200),
        ("internal", 403),
        ("board.example.com.evil.example", 403),
        ("boardxexample.com", 403),
        ("localhost", 403),
    ],
)
async def test_allowed_hosts_are_names_with_stars(board: MakeBoard, host: str, status: int) -> None:
    made = board(allowed_hosts=["Board.example.com", "*.internal"])
    assert (await made.get("api/queues", headers={"Host": host})).status_code == status


@pytest.mark.parametrize("peer", ["10.0.0.7", "192.168.1.2", "2001:db8::1", "::ffff:10.0.0.7", "not an address"])
async def test_without_auth_no_other_machine_is_answered(queue: Queue[Any], peer: str) -> None:
    """Also where the board is mounted in an app that listens everywhere, and whatever host it names."""
    answer = await BoardClient(board_app(queues=[queue]), peer=peer).get("api/queues")
    assert answer.status_code == 403
    assert "auth=" in answer.json()["message"]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1", ""])
async def test_without_auth_this_machine_is_answered(queue: Queue[Any], peer: str) -> None:
    assert (await BoardClient(board_app(queues=[queue]), peer=peer).get("api/queues")).status_code == 200


async def test_a_change_from_the_boards_own_page_is_made(board: MakeBoard, queue: Queue[Any]) -> None:
    assert (await board().change("PUT", "api/queues/email/pause")).json() == {}
    assert await queue.is_paused()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:4000"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": f"{ORIGIN}.evil.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
    ],
)
async def test_a_change_from_another_site_is_refused_even_with_the_token(
    board: MakeBoard, queue: Queue[Any], headers: dict[str, str]
) -> None:
    made = board()
    answer = await put(made, {"X-XSRF-TOKEN": await made.token(), **headers})
    assert (answer.status_code, answer.json()["code"]) == (403, "CROSS_SITE")
    assert not await queue.is_paused()


@pytest.mark.parametrize("sent", [None, "", "x", "A" * 43])
async def test_a_change_without_the_token_is_refused(board: MakeBoard, queue: Queue[Any], sent: str | None) -> None:
    made = board()
    await made.token()
    answer = await put(made, {} if sent is None else {"X-XSRF-TOKEN": sent})
    assert (answer.status_code, answer.json()["code"]) == (403, "XSRF")
    assert not await queue.is_paused()


@pytest.mark.parametrize(
    "token",
    ["", "x", "short", "A" * 31, "A" * 65, "é" * 40, "A" * 46, "6553f100" + "A" * 38],
)
async def test_a_token_that_we_never_gave_is_none(board: MakeBoard, queue: Queue[Any], token: str) -> None:
    """Cookie and header may agree: what is too easily guessed or planted is not taken all the same."""
    made = board()
    headers = {"Cookie": f"XSRF-TOKEN={token}".encode(), "X-XSRF-TOKEN": token.encode()}
    answer = await made.http.put(made.address("api/queues/email/pause"), headers=headers)
    assert answer.status_code == 403
    assert not await queue.is_paused()


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
)
@pytest.mark.parametrize("content", [b"", b'{"name":"planted"}'])
async def test_a_post_that_is_not_json_is_refused(
    board: MakeBoard, queue: Queue[Any], content_type: str | None, content: bytes
) -> None:
    """A form of another site can send these; at Bull Board an empty POST adds a job."""
    made = board()
    headers = {"X-XSRF-TOKEN": await made.token()} | ({} if content_type is None else {"Content-Type": content_type})
    answer = await made.http.post(made.address("api/queues/email/add"), content=content, headers=headers)
    assert answer.status_code == 415
    assert await queue.count() == 0


async def test_a_put_with_a_body_must_be_json_too(board: MakeBoard, queue: Queue[Any]) -> None:
    made = board()
    headers = {"X-XSRF-TOKEN": await made.token(), "Content-Type": "text/plain"}
    answer = await made.http.put(made.address("api/queues/email/concurrency"), content=b"{}", headers=headers)
    assert answer.status_code == 415


async def test_a_bearer_token_stands_for_the_pair_of_cookie_and_header_only(
    queue: Queue[Any], board: MakeBoard
) -> None:
    made = board(auth=bearer_auth({"t0ken": "robot"}), policy=lambda access: access.action != "resume")
    bearer = {"Authorization": "Bearer t0ken"}
    assert (await put(made, bearer)).status_code == 200
    assert await queue.is_paused()
    assert (await put(made, bearer, path="api/queues/email/resume")).status_code == 403
    assert (await put(made, {**bearer, "Origin": "https://evil.example"})).status_code == 403
    form = await made.http.post(made.address("api/queues/email/add"), content=b'{"name":"x"}', headers=bearer)
    assert form.status_code == 415
    assert await queue.is_paused()


async def test_a_wrong_bearer_token_is_nobody(board: MakeBoard, queue: Queue[Any]) -> None:
    made = board(auth=bearer_auth({"t0ken": "robot"}))
    for header in ("Bearer wrong", "Bearer", "Bearer ", "t0ken", "Basic t0ken", "bearer  "):
        assert (await put(made, {"Authorization": header})).status_code == 401
    assert not await queue.is_paused()


async def test_the_cookie_stays_on_this_site_and_below_this_path(board: MakeBoard) -> None:
    cookie = (await board().get("")).headers["Set-Cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("XSRF-TOKEN=")
    assert len(name) >= len("XSRF-TOKEN=") + 32
    assert attributes == ["Path=/admin/queues", "SameSite=Strict"]


async def test_over_https_the_cookie_is_secure(queue: Queue[Any]) -> None:
    made = BoardClient(board_app(queues=[queue]), origin="https://localhost")
    assert (await made.get("")).headers["Set-Cookie"].endswith("; Secure")


async def test_a_browser_keeps_its_token_and_each_gets_its_own(board: MakeBoard) -> None:
    first, second = board(), board()
    assert await first.token() != await second.token()
    kept = await first.token()
    assert "Set-Cookie" not in (await first.get("")).headers
    assert await first.token() == kept


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "TRACE", "PROPFIND", "POST"])
@pytest.mark.parametrize("path", ["", "api/queues", "api/queues/email/pause", "static/favicon.ico"])
async def test_other_methods_change_nothing_and_are_not_allowed(board: MakeBoard, method: str, path: str) -> None:
    made = board()
    headers = {"X-XSRF-TOKEN": await made.token(), "Content-Type": "application/json"}
    answer = await made.http.request(method, made.address(path), headers=headers, content=b"{}")
    assert answer.status_code == 405
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_preflight_of_another_site_is_refused(board: MakeBoard) -> None:
    """So its browser sends neither JSON nor our header here."""
    made = board()
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT", "Sec-Fetch-Site": "cross-site"}
    answer = await made.http.request("OPTIONS", made.address("api/queues/email/pause"), headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
