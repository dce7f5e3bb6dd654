"""`main.py redis-url`: where the queues are, for other programs."""

import asyncio
import sys
from typing import Annotated

import typer

from bullworks.cli.connection import connect_redis
from bullworks.cli.program import Program
from bullworks.cli.running import run
from bullworks.redis import Endpoint
from bullworks.workers import QueueSettings


def redis_url(
    hold: Annotated[
        bool, typer.Option("--hold", help="Keep the embedded server running until Ctrl-C, for other programs.")
    ] = False,
) -> None:
    """Print the URL of the queues' Redis, password included, for redis-cli, Node or Bull Board.

    Example: redis-cli -u "$(python main.py redis-url)" while the service runs
    """
    run(_print_redis_url(Program.current().settings[QueueSettings], hold))


async def _print_redis_url(settings: QueueSettings, hold: bool) -> None:
    async with connect_redis(settings) as url:
        endpoint = Endpoint.of(url, connect_timeout_ms=settings.queue_connect_timeout_ms)
        await (await endpoint.open()).disconnect()
        print(url, flush=True)
        if hold:
            print("The server is held until Ctrl-C.", file=sys.stderr, flush=True)
            await asyncio.Event().wait()
