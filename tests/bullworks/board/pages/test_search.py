"""Search: by id at once, by name, state and data within a bound that is shown; secrets cannot be found."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from bullworks.board import BoardQueue, board_app
from bullworks.board.pages import search_scan
from bullworks.bullmq import JobSpec, Queue
from bullworks.redis.endpoint import Endpoint
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard, OpenQueue
from tests.bullworks.board.pages.failing import WriteCounter, fail

EVIL = "<img src=x onerror=alert(1)>"


async def found(client: BoardClient, **asked: Any) -> list[str]:
    """The ids that a search shows, and nothing but a page."""
    answer = await client.get("-/search", params=asked)
    assert answer.status_code == 200, answer.text
    return ids_in(answer.text)


def ids_in(page: str) -> list[str]:
    return [
        html.unescape(text) for text in re.findall(r'<td class="wrap"><a href="[^"]*/job\?[^"]*">([^<]*)</a>', page)
    ]


def looked_at(page: str) -> str:
    hint = re.search(r'<p class="hint" id="looked">(.*?)</p>', page, re.DOTALL)
    return "" if hint is None else " ".join(re.sub(r"<[^>]*>", "", hint[1]).split())


def next_page(page: str) -> str | None:
    link = re.search(r'<a rel="next" href="[^"]*/-/([^"]*)"', page)
    return None if link is None else "-/" + html.unescape(link[1])


async def test_a_job_is_found_by_its_id_in_all_queues_with_its_state(open_queue: OpenQueue, board: MakeBoard) -> None:
    email, video = open_queue("email"), open_queue("video")
    await fail(email, "e", name="send", job_id="order/7é %2F")
    await video.wait_until_ready()
    await video.add("render", delay=60_000, job_id="order/7é %2F")
    await video.add("render", job_id="other")
    page = (await board(email, video).get("-/search", params={"q": " order/7é %2F "})).text
    assert ids_in(page) == ["order/7é %2F"] * 2
    assert "Found by id" in page
    assert ('data-state="failed"' in page, 'data-state="delayed"' in page) == (True, True)
    assert "id=order%2F7%C3%A9+%252F" in page
    assert await found(board(email, video), q="order/7é %2F", state="delayed", **{"in": "id"}) == ["order/7é %2F"]


@pytest.mark.parametrize("name", ["meta", "id", "events", "wait", "repeat:nightly", "de:x", "marker", "no such id"])
async def test_other_keys_of_a_queue_are_no_jobs(queue: Queue[Any], board: MakeBoard, name: str) -> None:
    await queue.wait_until_ready()
    await queue.add("send", deduplication={"id": "x"})
    await queue.upsert_job_scheduler("nightly", {"pattern": "0 3 * * *"})
    answer = await board().get("-/search", params={"q": name, "in": "id"})
    assert ids_in(answer.text) == []
    assert "No job matches." in answer.text


async def test_names_are_searched_whatever_their_case(queue: Queue[Any], board: MakeBoard) -> None:
    await queue.wait_until_ready()
    for name in ("SendInvoice", "send", "Überweisung"):
        await queue.add(name, {"invoice": name == "send"}, job_id=name)
    assert await found(board(), q="invoice", **{"in": "name"}) == ["SendInvoice"]
    assert await found(board(), q="ÜBER", **{"in": "name"}) == ["Überweisung"]
    assert set(await found(board(), q="invoice")) == {"SendInvoice", "send", "Überweisung"}  # in names and in data
    assert await found(board(), q="invoicex") == []


async def test_data_is_searched_as_text_and_by_field(queue: Queue[Any], board: MakeBoard) -> None:
    await queue.wait_until_ready()
    data = {
        "a": {"user": {"id": 7, "name": "Ünal"}, "tags": ["new", "vip"]},
        "b": {"user": {"id": 77, "name": "Bob"}, "items": [{"sku": "x-1"}, {"sku": "x-2"}], "a.b": True},
        "c": "user.id=7",
        "d": None,
    }
    for job_id, value in data.items():
        await queue.add("job", value, job_id=job_id)

    async def ids(wanted: str) -> str:
        return "".join(sorted(await found(board(), q=wanted, **{"in": "data"})))

    assert await ids("user.id=7") == "ac"
    assert await ids('"id":7,') == "a"
    assert await ids('"id": 7,') == "a"
    assert await ids("ünal") == "a"
    assert await ids("tags=vip") == "a"
    assert await ids("items.1.sku=x-2") == "b"
    assert await ids("items.sku=x-1") == "b"
    assert await ids("items.0.sku=x-2") == ""
    assert await ids("a.b=true") == "b"
    page = (await board().get("-/search", params={"q": "user.name=Bob", "in": "data"})).text
    assert "<code>user.name = Bob</code>" in page


async def test_secrets_cannot_be_found(queue: Queue[Any], board: MakeBoard) -> None:
    """Yes or no to a part of it would tell it letter by letter."""
    await queue.wait_until_ready()
    await queue.add(
        "job", {"to": "bob", "password": "hunter2", "deep": [{"apiKey": "s3cr3t"}]}, job_id="known", attempts=3
    )
    client = board()
    for secret in (
        "[redacted]",
        '"[red',
        "password=[redacted]",
        "hunter2",
        "hunt",
        "password=hunter2",
        "deep.apiKey=s3cr3t",
        '"password":"hunter2"',
        "s3cr",
    ):
        answer = await client.get("-/search", params={"q": secret, "in": "data"})
        assert ids_in(answer.text) == [], secret
    shown = (await client.get("-/search", params={"q": "bob", "in": "data"})).text
    assert ids_in(shown) == ["known"]
    assert "[redacted]" in shown
    assert "hunter2" not in shown
    # who shows all can find all
    assert await found(board(redact=[]), q="hunter2", **{"in": "data"}) == ["known"]


async def test_what_cannot_be_read_as_json_is_not_searched_since_nobody_knows_what_is_secret_there(
    queue: Queue[Any], board: MakeBoard
) -> None:
    await queue.wait_until_ready()
    job = await queue.add("job")
    await queue.connection.execute("HSET", queue.keys.of(job.id), "data", '{"password":"hunter2"')
    assert await found(board(), q="hunter2", **{"in": "data"}) == []


async def test_a_state_alone_lists_its_jobs_newest_first(queue: Queue[Any], board: MakeBoard) -> None:
    await queue.wait_until_ready()
    await queue.add_bulk([JobSpec("job", {}, timestamp=1_000 + number) for number in range(5)])
    await queue.add("later", delay=60_000)
    assert await found(board(), state="waiting") == ["5", "4", "3", "2", "1"]
    assert await found(board(), state="delayed") == ["6"]
    assert await found(board(), state="completed") == []
    page = (await board().get("-/search", params={"state": "waiting"})).text
    assert looked_at(page) == "Searched 5 of 5 jobs, newest first."


async def test_the_bound_is_shown_and_older_jobs_are_found_by_going_on(
    queue: Queue[Any], board: MakeBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_scan, "MOST_JOBS", 10)
    await queue.wait_until_ready()
    await queue.add_bulk([JobSpec("oldest" if number == 0 else "job", {"n": number}) for number in range(25)])
    client = board()
    page = (await client.get("-/search", params={"q": "oldest", "in": "name"})).text
    assert looked_at(page) == "Searched 10 of 25 jobs, newest first. Continue with older ones"
    assert "None of these match; older jobs may." in page
    page = (await client.get(next_page(page) or "")).text
    assert (
        looked_at(page)
        == "Searched 10 of 25 jobs, newest first, from place 11 of each queue and state. Continue with older ones"
    )
    page = (await client.get(next_page(page) or "")).text
    assert ids_in(page) == ["1"]
    assert next_page(page) is None


async def test_going_on_loses_none_and_repeats_none(
    open_queue: OpenQueue, board: MakeBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_scan, "MOST_HITS", 7)
    monkeypatch.setattr(search_scan, "MOST_JOBS", 40)
    queues = [open_queue(name) for name in ("a", "b")]
    expected = []
    for queue in queues:
        await queue.wait_until_ready()
        specs = [JobSpec("hit" if number % 2 else "miss", {}, delay=number * 1_000) for number in range(30)]
        expected += [job.id for job in await queue.add_bulk(specs) if job.name == "hit"]
    client, path, ids = board(*queues), "-/search?q=hit&in=name", list[str]()
    for _ in range(20):
        page = (await client.get(path)).text
        assert len(ids_in(page)) <= 7 + 2
        ids += ids_in(page)
        following = next_page(page)
        if following is None:
            break
        path = following
    assert sorted(ids) == sorted(expected)


async def test_no_more_data_is_read_than_is_told(
    queue: Queue[Any], board: MakeBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_scan, "_MOST_BYTES", 50_000)
    await queue.wait_until_ready()
    await queue.add("job", {"oldest": "needle"}, job_id="small")
    await queue.add_bulk([JobSpec("job", {"needle": "x" * 20_000}) for _ in range(4)])
    await queue.add("job", {"needle": "x" * 70_000}, job_id="huge")
    client = board()
    page = (await client.get("-/search", params={"q": "needle", "in": "data"})).text
    assert len(ids_in(page)) == 2
    assert "Searched 3 of 6 jobs" in looked_at(page)
    assert "The data of 1 is larger than 64 KiB" in looked_at(page)
    page = (await client.get(next_page(page) or "")).text
    assert ids_in(page)[2:] == ["small"]
    assert next_page(page) is None
    # nor what the board does not show
    assert await found(board(shown_bytes=1_000), q="needle", **{"in": "data"}) == ["small"]


async def test_texts_are_escaped_wherever_they_come_from(queue: Queue[Any], board: MakeBoard) -> None:
    await queue.wait_until_ready()
    await queue.add(EVIL, {EVIL: EVIL}, job_id=EVIL)
    client = board(BoardQueue(queue=queue, name=f"q{EVIL}"))
    for asked in ({"q": EVIL}, {"q": EVIL, "in": "data"}, {"state": "waiting"}, {"q": f'"><script>{EVIL}'}):
        page = (await client.get("-/search", params=asked)).text
        assert "<img" not in page
        assert "<script>" not in page
        assert "&lt;img" in page


@pytest.mark.parametrize(
    "asked",
    [{"in": "secrets"}, {"state": "stalled"}, {"q": "x" * 501}, {"from": "-1"}, {"from": "x"}, {"from": "1e400"}],
)
async def test_a_question_that_is_none_is_refused(queue: Queue[Any], board: MakeBoard, asked: dict[str, str]) -> None:
    answer = await board().get("-/search", params={"state": "waiting", **asked})
    assert answer.status_code == 400
    assert "ERRORS." not in answer.text


async def test_queues_that_may_not_be_seen_are_not_searched(open_queue: OpenQueue, board: MakeBoard) -> None:
    for name in ("email", "secret"):
        await open_queue(name).wait_until_ready()
        await open_queue(name).add("job", {"n": "needle"}, job_id=f"of-{name}")
    client = board(open_queue("email"), open_queue("secret"), policy=lambda access: access.queue != "secret")
    assert await found(client, q="of-secret") == []
    assert await found(client, q="needle") == ["of-email"]
    assert "secret" not in (await client.get("-/search")).text
    assert (await client.get("-/search", params={"q": "x", "queue": "secret"})).status_code == 404
    assert (await client.get("-/search", params={"q": "x", "queue": "no such"})).status_code == 404


async def test_what_cannot_be_read_spoils_nothing(open_queue: OpenQueue, board: MakeBoard) -> None:
    email, broken = open_queue("email"), open_queue("broken")
    for queue in (email, broken):
        await queue.wait_until_ready()
        await queue.add("fine", {"n": "needle"}, job_id=f"fine-{queue.name}")
    bad = await email.add("bad")
    await email.connection.execute("DEL", email.keys.of(bad.id))
    await email.connection.execute("SET", email.keys.of(bad.id), "no hash")
    await broken.connection.execute("SET", broken.keys.of("failed"), "no set")
    client = board(email, broken)
    page = (await client.get("-/search", params={"q": "needle"})).text
    assert ids_in(page) == ["fine-email"]
    assert re.search("broken cannot be read: .*WRONGTYPE", page)
    assert "(cannot be read)" in (await client.get("-/search", params={"state": "waiting"})).text
    by_id = await client.get("-/search", params={"q": "fine-broken"})
    assert ids_in(by_id.text) == ["fine-broken"]


async def test_the_form_works_alone_and_keeps_what_was_asked(queue: Queue[Any], board: MakeBoard) -> None:
    await queue.wait_until_ready()
    empty = (await board().get("-/search")).text
    assert '<form class="filters" method="get" action="/admin/queues/-/search"' in empty
    assert 'type="search" id="search"' in empty
    assert looked_at(empty) == ""
    page = (await board().get("-/search", params={"q": "a b", "state": "failed", "queue": "email", "in": "data"})).text
    assert 'value="a b"' in page
    assert re.findall(r"<option[^>]* selected>([^<]*)<", page) == ["email", "failed", "data"]


async def test_many_queues_cost_as_many_trips_as_one(redis_url: str, key_prefix: str) -> None:
    connection = WriteCounter(Endpoint.of(redis_url))
    queues = [Queue[Any](f"q{number}", connection=connection, prefix=key_prefix) for number in range(20)]
    for queue in queues:
        await queue.wait_until_ready()
        await queue.add_bulk([JobSpec("job", {"n": number}) for number in range(30)])
    writes: dict[tuple[str, int], int] = {}
    for path in ("-/search?q=needle", "-/search?q=7&in=id"):
        for count in (1, 20):
            client = BoardClient(board_app(queues=queues[:count]))
            await client.get(path)
            connection.writes = 0
            await client.get(path)
            writes[path, count] = connection.writes
        assert writes[path, 20] <= writes[path, 1] + 3, path  # of a trip the first command may leave by itself
    await connection.close()
    assert max(writes.values()) <= 9
