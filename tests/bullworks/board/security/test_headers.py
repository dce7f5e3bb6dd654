"""Headers that keep a browser from doing more with an answer than showing it."""

from __future__ import annotations

import pytest

from bullworks.board.ui import BoardUi
from tests.bullworks.board.conftest import MakeBoard

PATHS = [
    "", "-/", "-/queue?name=email", "-/queue?name=nowhere", "-/nowhere", "api/queues", "api/queues/nowhere/1",
    "api/nowhere", "nowhere", "static/nowhere", "queue/email/1",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_says_what_it_may_load_and_who_may_frame_it(board: MakeBoard, path: str) -> None:
    headers = (await board().get(path)).headers
    directives = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert directives["default-src"] == "'self'"
    assert directives["style-src"] == "'self' 'unsafe-inline'"
    assert directives["img-src"] == "'self' data:"
    assert directives["worker-src"] == "'self' blob:"
    assert directives["frame-ancestors"] == "'none'"
    assert "script-src" not in directives
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
async def test_refusals_have_them_too(board: MakeBoard, host: str) -> None:
    answer = await board().get("api/queues", headers={"Host": host})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_files_with_their_hash_in_the_name_are_kept_by_browsers(board: MakeBoard, page: BoardUi) -> None:
    made = board()
    hashed = next(name for name, file in page.files.items() if file.is_immutable)
    assert (await made.get(f"static/{hashed}")).headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (await made.get("static/favicon.ico")).headers["Cache-Control"] == "private, max-age=3600"
