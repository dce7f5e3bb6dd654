"""The board on the open network: behind proxies, under attack by password, and by roles."""

from __future__ import annotations

import time
from typing import Any

import pytest
from starlette.requests import Request

from bullworks.board import BoardModule, OpenInProductionError, basic_auth, board_app, role_policy
from bullworks.board.security.client_address import client_of, networks_of
from bullworks.board.security.throttle import MOST_CLIENTS, MOST_FAILURES, LoginThrottle
from bullworks.board.security.xsrf import LIFE_S, XsrfTokens
from bullworks.board.settings import BoardSettings
from bullworks.bullmq import Queue
from bullworks.core import create_application, module
from bullworks.settings import SettingsSource
from bullworks.web import WebModule
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard

OPS = basic_auth({"ops": "right"})
FORWARDED = [
    "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Anything", "X-Real-IP", "Via",
    "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "X-Original-URL",
]  # fmt: skip


@pytest.mark.parametrize("header", FORWARDED)
async def test_without_auth_nothing_is_answered_through_a_proxy(board: MakeBoard, header: str) -> None:
    """A proxy on this machine connects from 127.0.0.1, whoever asks it."""
    made = board()
    for value in ("127.0.0.1", ""):
        for path in ("", "-/", "api/queues", "static/favicon.ico"):
            answer = await made.get(path, headers={header: value})
            assert (answer.status_code, "proxy" in answer.text) == (403, True), path
    assert (await board(auth=OPS).get("-/", headers={header: "1"}, auth=("ops", "right"))).status_code == 200


async def test_in_production_the_board_does_not_start_open(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "Production")

    @module(imports=[WebModule.for_root(port=0), BoardModule.for_root()])
    class Shop:
        """A board alone."""

    with pytest.raises(OpenInProductionError, match="BOARD_PASSWORD"):
        await create_application(Shop)
    for name, value in (("BOARD_TOKEN", "t0ken"), ("BOARD_USERS", "ada:1"), ("BOARD_ENABLED", "false")):
        with monkeypatch.context() as given:
            given.setenv(name, value)
            async with await create_application(Shop):
                pass


async def test_behind_a_proxy_links_and_cookies_are_those_of_the_public_address(board: MakeBoard) -> None:
    made = board(auth=OPS, public_url="https://ops.example.com/tools/queues")
    made.http.auth = ("ops", "right")
    page = await made.get("-/", headers={"Host": "ops.example.com"})
    assert page.status_code == 200
    assert 'href="/tools/queues/-/search"' in page.text
    assert "/admin/queues" not in page.text
    name, *attributes = page.headers["Set-Cookie"].split("; ")
    assert attributes == ["Path=/tools/queues", "SameSite=Strict", "Secure"]
    token = name.partition("=")[2]
    headers = {"X-XSRF-TOKEN": token, "Cookie": f"XSRF-TOKEN={token}", "Sec-Fetch-Site": "same-origin"}
    path = made.address("api/queues/email/pause")
    for origin, status in (
        ("https://ops.example.com", 200), ("https://ops.example.com.evil.example", 403), ("https://evil.example", 403)
    ):  # fmt: skip
        # the proxy may put its own name for us into Host
        assert (await made.http.put(path, headers={**headers, "Origin": origin})).status_code == status


async def test_a_client_that_guesses_is_shut_out_and_others_are_not(
    board: MakeBoard, queue: Queue[Any], caplog: pytest.LogCaptureFixture
) -> None:
    app = board_app(queues=[queue], auth=OPS, trusted_proxies=["10.0.0.0/8"])
    guessing, proxied = BoardClient(app, peer="192.0.2.1"), BoardClient(app, peer="10.0.0.1")
    for _ in range(MOST_FAILURES):
        assert (await guessing.get("-/")).status_code == 401  # how every browser begins
        assert (await guessing.get("-/", auth=("ops", "wrong"))).status_code == 401
    for path in ("-/", "api/queues"):
        refused = await guessing.get(path, auth=("ops", "right"), headers={"X-Forwarded-For": "203.0.113.9"})
        assert (refused.status_code, 0 < int(refused.headers["Retry-After"]) <= 60) == (429, True)
    assert (await proxied.get("-/", auth=("ops", "right"))).status_code == 200
    from_there = {"X-Forwarded-For": "203.0.113.9, 192.0.2.1"}
    assert (await proxied.get("-/", auth=("ops", "right"), headers=from_there)).status_code == 429
    assert "login of the board failed, from 192.0.2.1" in caplog.text
    assert "wrong" not in caplog.text
    event = (await app.board.audit.latest(1))[0]
    assert (event.action, event.outcome, event.note) == ("log-in", "refused", "from 192.0.2.1")
    app.guard._throttle._failures["192.0.2.1"].until_s = 0  # the window has passed
    assert (await guessing.get("-/", auth=("ops", "right"))).status_code == 200


def test_the_memory_of_failures_is_bounded() -> None:
    failing = LoginThrottle()
    for number in range(MOST_CLIENTS * 2):
        failing.failed(str(number))
    assert len(failing._failures) == MOST_CLIENTS


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("unix", "", "local"),
    ],
)
def test_a_client_is_whom_trusted_proxies_name(peer: str, header: str, client: str) -> None:
    headers = [(b"x-forwarded-for", header.encode())]
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})
    assert client_of(request, networks_of(["10.0.0.0/8"])) == client


async def test_roles_say_who_may_do_what(board: MakeBoard, queue: Queue[Any]) -> None:
    auth = basic_auth({"eve": "1", "ops": "1", "ada": "1", "bob": "1"})
    made = board(auth=auth, policy=role_policy({"eve": "read", "ops": "operate", "ada": "admin"}))
    statuses = {}
    for who in ("eve", "ops", "ada", "bob"):
        made.http.auth = (who, "1")
        paths = ("api/queues/email/pause", "api/queues/email/empty")
        read = (await made.get("-/queue?name=email")).status_code
        statuses[who] = [read, *[(await made.change("PUT", path)).status_code for path in paths]]
    assert statuses == {
        "eve": [200, 403, 403], "ops": [200, 200, 403], "ada": [200, 200, 200], "bob": [404, 404, 404]
    }  # fmt: skip
    with pytest.raises(ValueError, match="'ada' must be one of read, operate, admin"):
        role_policy({"ada": "root"})


def test_settings_have_users_and_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOARD_USERS", "ada:a:b, bo:2")
    monkeypatch.setenv("BOARD_ROLES", "ada:admin,*:read")
    monkeypatch.setenv("BOARD_TRUSTED_PROXIES", "10.0.0.0/8,::1")
    given = SettingsSource()[BoardSettings]
    assert given.board_roles == ("ada:admin", "*:read")
    assert "a:b" not in repr(given)


def test_a_token_is_known_again_until_it_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, now_s = XsrfTokens("shared"), time.time()
    token = tokens.new()
    request = Request({"type": "http", "headers": [(b"cookie", f"XSRF-TOKEN={token}".encode())]})
    assert XsrfTokens("shared").of(request) == token
    assert XsrfTokens().of(request) is None
    monkeypatch.setattr(time, "time", lambda: now_s + LIFE_S + 1)
    assert tokens.of(request) is None
