"""Distributed locks: who holds them, and for how long."""

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.board import Board
from bullworks.board.pages.rendering import render
from bullworks.board.reaching import reaching_all
from bullworks.locks import LockView, read_locks
from bullworks.redis import RedisError

MOST_LOCKS = 500
"""Names that are looked at."""


async def locks(request: Request) -> Response:
    """Render the locks that are held, beside the board's first queue, in three round trips.

    None is released here: its holder would keep working, in parallel with the next one.
    """
    board: Board = request.state.board
    home = board.home()
    found: list[LockView] = []
    names, problem = 0, None
    if home is not None:
        try:
            async with reaching_all(home) as connection:
                found, names = await read_locks(connection, MOST_LOCKS)
        except RedisError as error:
            problem = str(error)
    return render(request, "locks.html", locks=found, names=names, most=MOST_LOCKS, problem=problem)
