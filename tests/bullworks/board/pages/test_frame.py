"""What all our pages have: the menu, style and script, who asks, and a page for what is not there."""

from __future__ import annotations

import re

import pytest

from bullworks.board import basic_auth
from bullworks.board.pages import PAGES
from bullworks.board.pages.rendering import duration_text, query_text, time_text
from tests.bullworks.board.conftest import MakeBoard


async def test_the_menu_leads_to_each_page_and_marks_this_one(board: MakeBoard) -> None:
    made = board()
    for page in PAGES:
        answer = await made.get(f"-{page.path}")
        assert answer.status_code == 200, page
        for each in PAGES:
            assert f'href="/admin/queues/-{each.path}"' in answer.text
        assert re.findall(r'href="([^"]*)" aria-current="page"', answer.text) == [f"/admin/queues/-{page.path}"]


def test_each_page_has_a_key_of_its_own() -> None:
    keys = [page.key for page in PAGES]
    assert len(set(keys)) == len(keys)
    assert "b" not in keys  # Bull Board's


async def test_bull_boards_menu_leads_to_our_pages(board: MakeBoard) -> None:
    made = board()
    text = (await made.get("")).text
    for page in PAGES:
        assert f"/admin/queues/-{page.path}" in text


async def test_style_and_script_are_served_by_name_and_not_sent_twice(board: MakeBoard) -> None:
    made = board()
    page = (await made.get("-/")).text
    for name, media_type in (("style.css", "text/css"), ("board.js", "text/javascript")):
        assert f'"/admin/queues/-/assets/{name}"' in page
        first = await made.get(f"-/assets/{name}")
        assert first.status_code == 200
        assert first.headers["Content-Type"].startswith(media_type)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = await made.get(f"-/assets/{name}", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["-/assets/nothing", "-/assets/..%2fmenu.py", "-/assets/menu.py", "-/assets/"])
async def test_no_other_file_is_served(board: MakeBoard, path: str) -> None:
    assert (await board().get(path)).status_code == 404


async def test_no_page_has_scripts_or_styles_within(board: MakeBoard) -> None:
    """The content security policy would keep them from running; the pages are to work with it."""
    made = board()
    for page in PAGES:
        text = (await made.get(f"-{page.path}")).text
        assert re.findall(r"<script[^>]*>[^<]+", text) == []
        assert re.findall(r"<style| style=| on[a-z]+=", text) == []


async def test_who_asks_and_what_cannot_be_done_is_said(board: MakeBoard) -> None:
    made = board(auth=basic_auth({"ops": "pass"}), read_only=True)
    page = (await made.get("-/", auth=("ops", "pass"))).text
    assert '<span class="who" title="Who asks">ops</span>' in page
    assert ">read only<" in page
    assert "read only" not in (await board().get("-/")).text


async def test_what_is_not_there_says_so_as_a_page_without_repeating_the_address(board: MakeBoard) -> None:
    made = board()
    for path in ("-/nowhere", "-/queue?name=<b>x", "-/job?queue=email&id=<b>x", "-/job?queue=<b>x&id=1"):
        answer = await made.get(path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "Not found" in answer.text
        assert "<b>x" not in answer.text
        assert "&lt;b&gt;x" not in answer.text


async def test_pages_only_read(board: MakeBoard) -> None:
    made = board()
    for path in ("-/", "-/queue?name=email"):
        assert (await made.change("PUT", path, {})).status_code in {403, 405}


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "-"),
        (-5, "-"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1_500, "1.5 s"),
        (90_000, "1.5 min"),
        (86_400_000, "1.0 d"),
    ],
)
def test_durations_are_short(ms: float | None, text: str) -> None:
    assert duration_text(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(None, "-"), (0, "-"), (1_700_000_000_000, "2023-11-14 22:13:20Z"), (10**30, "-"), (-(10**30), "-")],
)
def test_times_are_in_utc(ms: float | None, text: str) -> None:
    assert time_text(ms) == text


def test_a_query_leaves_out_what_is_not_there() -> None:
    assert query_text(a=None, b="", c="x&y=z", d=0, e="\ud800") == "c=x%26y%3Dz&d=0&e=%3F"
