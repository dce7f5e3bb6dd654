"""One connection, many callers: order, errors, cancellation, loss and return."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import ConnectError, ConnectionLostError
from bullworks.redis.pipelined import PipelinedConnection
from bullworks.redis.script import Script
from bullworks.redis.server_error import ServerError
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


@pytest.fixture(params=[True, False], ids=["protocol", "streams"])
async def connection(redis_url: str, request: pytest.FixtureRequest) -> AsyncIterator[PipelinedConnection]:
    connection = PipelinedConnection(Endpoint.of(redis_url), client_name="pipelined-test", hijack=request.param)
    yield connection
    await connection.close()


async def test_each_of_many_callers_gets_its_own_reply(connection: PipelinedConnection):
    replies = await asyncio.gather(*(connection.execute("ECHO", f"n{number}") for number in range(2_000)))
    assert replies == [b"n%d" % number for number in range(2_000)]


async def test_what_is_said_in_one_tick_reaches_redis_in_one_read(redis_server: RedisServer):
    async def reads_during(commands: int) -> int:
        before = redis_server.run("INFO", "stats")["total_reads_processed"]
        await asyncio.gather(*(connection.execute("PING") for _ in range(commands)))
        return int(redis_server.run("INFO", "stats")["total_reads_processed"] - before)

    connection = PipelinedConnection(Endpoint.of(redis_server.url))
    await connection.connect()
    assert await reads_during(100) - await reads_during(1) <= 2
    await connection.close()


async def test_what_is_sent_at_once_takes_along_what_was_queued_before_it(connection: PipelinedConnection):
    await connection.connect()
    replies = [connection.send("ECHO", "queued"), connection.send_now("ECHO", "now"), connection.send("ECHO", "later")]
    assert await asyncio.gather(*replies) == [b"queued", b"now", b"later"]


async def test_an_error_in_a_reply_belongs_to_its_caller_alone(connection: PipelinedConnection):
    await connection.execute("SET", "pipelined-test", "text")
    good, bad, nested, last = await asyncio.gather(
        connection.execute("PING"),
        connection.execute("LPUSH", "pipelined-test", 1),
        connection.execute("EVAL", "return {1, redis.error_reply('INNER x')}", 0),
        connection.execute("ECHO", "after"),
        return_exceptions=True,
    )
    await connection.execute("DEL", "pipelined-test")
    assert (good, last) == (b"PONG", b"after")
    assert isinstance(bad, ServerError)
    assert bad.code == "WRONGTYPE"
    assert nested[0] == 1


async def test_a_cancelled_caller_drops_its_reply_and_nothing_else(connection: PipelinedConnection):
    await connection.connect()
    slow = asyncio.create_task(connection.execute("BLPOP", "pipelined-nothing", 0.3))
    behind = asyncio.create_task(connection.execute("ECHO", "behind"))
    await asyncio.sleep(0.05)
    slow.cancel()
    assert await asyncio.wait_for(behind, 5) == b"behind"
    assert slow.cancelled()
    assert connection.is_connected


async def test_a_caller_that_is_cancelled_together_with_connecting_is_cancelled(connection: PipelinedConnection):
    """As where the event loop ends: who took it for a lost connection would try again for ever."""
    caller = asyncio.create_task(connection.execute("PING"))
    while not (connecting := [task for task in asyncio.all_tasks() if task.get_name() == "redis-connect"]):
        await asyncio.sleep(0)
    for task in (*connecting, caller):
        task.cancel()
    await asyncio.wait((caller,), timeout=5)
    assert caller.cancelled()


async def test_a_forgotten_script_is_sent_with_its_source(connection: PipelinedConnection):
    script = Script.load("bullworks.bullmq", "extend_locks")
    await connection.execute("SCRIPT", "FLUSH")
    assert await connection.run(script, ("nobody:",), [30_000, "", "1", "token"]) == [[b"1"], []]
    assert await connection.run(script, ("nobody:",), [30_000, "", "1", "token"]) == [[b"1"], []]


async def test_a_killed_connection_fails_what_was_under_way_and_comes_back(connection: PipelinedConnection):
    client_id = await connection.execute("CLIENT", "ID")
    waiting = asyncio.create_task(connection.execute("BLPOP", "pipelined-nothing", 10))
    other = PipelinedConnection(connection.endpoint)
    await other.execute("CLIENT", "KILL", "ID", client_id)
    await other.close()
    with pytest.raises(ConnectionLostError):
        await asyncio.wait_for(waiting, 5)
    assert await asyncio.wait_for(connection.execute("PING"), 5) == b"PONG"
    assert await connection.execute("CLIENT", "ID") != client_id
    assert await connection.execute("CLIENT", "GETNAME") == b"pipelined-test"


@pytest.mark.process
async def test_a_server_that_hangs_is_noticed_by_its_silence(tmp_path: Path):
    with RedisServer(tmp_path) as server:
        connection = PipelinedConnection(Endpoint.of(server.url), reply_timeout_ms=300)
        await connection.connect()
        server.freeze()
        with pytest.raises(ConnectionLostError, match=r"no reply for|no connection within"):
            await asyncio.wait_for(connection.execute("PING"), 5)
        server.thaw()
        assert await eventually(lambda: _answers(connection), within_s=5)
        await connection.close()


async def _answers(connection: PipelinedConnection) -> bool:
    try:
        return await connection.execute("PING") == b"PONG"
    except ConnectionLostError:
        return False


@pytest.mark.process
async def test_a_restarted_server_is_found_again_and_callers_wait_for_it(tmp_path: Path):
    with RedisServer(tmp_path) as server:
        connection = PipelinedConnection(Endpoint.of(server.url))
        await connection.execute("PING")
        server.stop()
        await eventually(lambda: not connection.is_connected)
        meanwhile = asyncio.create_task(connection.execute("ECHO", "at last"))
        server.start()
        assert await asyncio.wait_for(meanwhile, 8) == b"at last"
        await connection.close()


async def test_the_first_connection_fails_fast_and_a_later_command_tries_again():
    connection = PipelinedConnection(Endpoint.of("redis://127.0.0.1:1"))
    for _ in range(2):
        with pytest.raises(ConnectError, match=r"127\.0\.0\.1:1"):
            await connection.execute("PING")
    await connection.close()
    with pytest.raises(ConnectionLostError, match="closed"):
        await connection.execute("PING")


async def test_closing_fails_what_is_under_way_and_may_be_repeated(redis_url: str):
    connection = PipelinedConnection(Endpoint.of(redis_url))
    await connection.connect()
    waiting = asyncio.create_task(connection.execute("BLPOP", "pipelined-nothing", 10))
    await asyncio.sleep(0.01)
    await asyncio.gather(connection.close(), connection.close())
    with pytest.raises(ConnectionLostError, match="closed"):
        await waiting
    assert repr(connection).endswith("closed>")
