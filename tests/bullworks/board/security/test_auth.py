"""Who asks: auth as a function, basic and bearer."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse

from bullworks.board import Identity, any_auth, basic_auth, bearer_auth, board_app
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard

EVERYTHING = [
    "", "queue/email", "static/favicon.ico", "api/queues", "api/queues/email/1", "-/", "-/queue?name=email",
    "-/job?queue=email&id=1", "-/live", "-/assets/board.js", "-/nowhere", "nowhere",
]  # fmt: skip


def basic(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}


@pytest.mark.parametrize("path", EVERYTHING)
async def test_nothing_is_answered_to_nobody(board: MakeBoard, path: str) -> None:
    answer = await board(auth=basic_auth({"ops": "right"})).get(path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="queues", charset="UTF-8"'
    assert "email" not in answer.text


@pytest.mark.parametrize(
    "credentials",
    ["ops:wrong", "ops:", "ops", ":right", ":", "root:right", "ops:right ", "OPS:right", "ops:rightright"],
)
async def test_wrong_credentials_are_nobody(board: MakeBoard, credentials: str) -> None:
    answer = await board(auth=basic_auth({"ops": "right"})).get("api/queues", headers=basic(credentials))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic b3Bz=", "Basic \t", "Digest b3BzOnJpZ2h0", "b3BzOnJpZ2h0"]
)
async def test_what_is_no_login_at_all_is_nobody(board: MakeBoard, header: str) -> None:
    answer = await board(auth=basic_auth({"ops": "right"})).get("api/queues", headers={"Authorization": header})
    assert answer.status_code == 401


async def test_the_right_password_is_taken_colons_and_all(board: MakeBoard) -> None:
    made = board(auth=basic_auth({"ops": "ri:ght", "änne": "pässwörd"}))
    for credentials in ("ops:ri:ght", "änne:pässwörd"):
        assert (await made.get("api/queues", headers=basic(credentials))).status_code == 200


async def test_an_empty_password_or_token_lets_nobody_in(board: MakeBoard) -> None:
    assert (await board(auth=basic_auth({"ops": ""})).get("api/queues", headers=basic("ops:"))).status_code == 401
    tokens = board(auth=bearer_auth({"": "robot"}))
    for header in ("Bearer ", "Bearer", ""):
        assert (await tokens.get("api/queues", headers={"Authorization": header})).status_code == 401


async def test_several_ways_are_tried_in_turn(board: MakeBoard) -> None:
    made = board(auth=any_auth(basic_auth({"ops": "right"}), bearer_auth({"t0ken": "robot"})))
    assert (await made.get("api/queues", headers=basic("ops:right"))).status_code == 200
    assert (await made.get("api/queues", headers={"Authorization": "Bearer t0ken"})).status_code == 200
    nobody = await made.get("api/queues")
    assert nobody.headers["WWW-Authenticate"].startswith("Basic ")
    assert "Bearer " in nobody.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("identity", "status"),
    [("anne", 200), (True, 200), (None, 401), (False, 401), ("", 401), (RedirectResponse("/login"), 307)],
)
@pytest.mark.parametrize("is_async", [True, False])
async def test_auth_is_any_function_of_the_request(
    board: MakeBoard, identity: Identity, status: int, is_async: bool
) -> None:
    async def later(request: Request) -> Identity:
        return identity

    def at_once(request: Request) -> Identity:
        return identity if request.url.path.startswith("/admin/queues") else None

    answer = await board(auth=later if is_async else at_once).get("api/queues")
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_auth_that_breaks_lets_nobody_in(board: MakeBoard, queue: Any) -> None:
    def broken(request: Request) -> Identity:
        raise KeyError("no session store")

    made = board(auth=broken)
    with pytest.raises(KeyError):  # the server's to answer with 500
        await made.get("api/queues")
    assert await queue.count() == 0


async def test_with_auth_other_machines_are_answered(board: MakeBoard, queue: Any) -> None:
    made = BoardClient(board_app(queues=[queue], auth=basic_auth({"ops": "right"})), peer="10.0.0.7")
    assert (await made.get("api/queues", headers=basic("ops:right"))).status_code == 200
    assert (await made.get("api/queues")).status_code == 401
