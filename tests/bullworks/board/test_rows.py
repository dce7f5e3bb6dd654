"""Rows of many jobs: little of each, whatever they hold. And the script's header is its contract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import bullworks.board
from bullworks.board.queues import BoardQueue
from bullworks.board.rows import JobRow, Window, read_rows
from bullworks.bullmq import JobSpec, Queue
from bullworks.redis.server_error import ServerError

LUA = Path(bullworks.board.__file__).parent / "lua"
_ARGV = re.compile(r"\n  ARGV(?P<argv>.*?)\n  RETURNS", re.DOTALL)
_DECLARED = re.compile(r"^ +(\d+)(\.\.\.)?(?: |$)", re.MULTILINE)


def places(rows: list[JobRow]) -> list[tuple[str, int, str]]:
    return [(row.state, row.place, row.job_id) for row in rows]


async def test_a_row_tells_a_job_s_name_times_and_how_its_data_begins(queue: Queue[Any]) -> None:
    await queue.wait_until_ready()
    await queue.add("n" * 600, {"a": "1234567890"}, timestamp=5)
    entry = BoardQueue(queue=queue)
    looked, (row,) = await read_rows(entry, [Window("waiting", 0, 9)], "data", head_bytes=8, largest_bytes=100)
    assert looked == 1
    assert (row.job_id, row.name, row.added_ms, row.finished_ms) == ("1", "n" * 500, 5, 0)
    assert (row.size_bytes, row.head) == (18, b'{"a":"12')
    for head_bytes, largest_bytes in ((0, 100), (8, 17)):
        _, (row,) = await read_rows(
            entry, [Window("waiting", 0, 9)], "data", head_bytes=head_bytes, largest_bytes=largest_bytes
        )
        assert (row.size_bytes, row.head) == (18, b"")


async def test_the_newest_come_first_past_those_that_are_skipped_however_many_calls_it_takes(
    queue: Queue[Any],
) -> None:
    await queue.wait_until_ready()
    await queue.add_bulk([JobSpec("job", {}) for _ in range(2_300)])
    await queue.add_bulk([JobSpec("later", {}, delay=number) for number in (60_000, 120_000)])
    windows = [Window("delayed", 0, 1), Window("waiting", 1, 2_200), Window("failed", 0, 5)]
    looked, rows = await read_rows(BoardQueue(queue=queue), windows, "data")
    assert looked == len(rows) == 2_201
    assert places(rows[:3]) == [("delayed", 0, "2302"), ("waiting", 1, "2299"), ("waiting", 2, "2298")]
    assert [row.place for row in rows[1:]] == list(range(1, 2_201))


async def test_a_job_that_is_gone_has_no_row_and_one_that_cannot_be_read_has_little(queue: Queue[Any]) -> None:
    await queue.wait_until_ready()
    gone, broken, fine = [await queue.add("job") for _ in range(3)]
    await queue.connection.execute("DEL", queue.keys.of(gone.id), queue.keys.of(broken.id))
    await queue.connection.execute("SET", queue.keys.of(broken.id), "no hash")
    await queue.connection.execute("HSET", queue.keys.of(fine.id), "timestamp", "9" * 40)
    looked, rows = await read_rows(BoardQueue(queue=queue), [Window("waiting", 0, 9)], "data")
    assert looked == 3
    assert [(row.job_id, row.size_bytes, row.added_ms) for row in rows] == [(fine.id, 2, 0), (broken.id, None, 0)]


async def test_a_state_of_another_type_is_an_error(queue: Queue[Any]) -> None:
    await queue.wait_until_ready()
    await queue.connection.execute("SET", queue.keys.of("failed"), "no set")
    with pytest.raises(ServerError, match="WRONGTYPE"):
        await read_rows(BoardQueue(queue=queue), [Window("failed", 0, 9)], "failedReason")


def test_the_arguments_that_the_header_names_are_those_that_are_read() -> None:
    text = (LUA / "read_rows.lua").read_text()
    header = _ARGV.search(text)
    assert header is not None
    body = text[text.index("\n]]") :]
    declared = _DECLARED.findall("  " + header["argv"])
    assert [number for number, is_open in declared if is_open] == ["4"]
    assert {int(number) for number, is_open in declared if not is_open} == {
        int(index) for index in re.findall(r"ARGV\[(\d+)\]", body)
    }
    assert "for at = 4, #ARGV" in body
    assert set(re.findall(r"KEYS\[(\d+)\]", body)) == {"1"}
    assert re.findall(r"^function |^\w+ = ", body, re.MULTILINE) == []
    assert set(re.findall(r"redis\.p?call\((?:LISTS\[state\] and )?'(\w+)'", body)) == {
        "HMGET", "HSTRLEN", "HGET", "LRANGE",
    }  # fmt: skip
