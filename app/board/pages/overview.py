"""The overview: all queues and their counts."""

from starlette.requests import Request
from starlette.responses import Response

from app.board.board import Board
from app.board.pages.rendering import render
from app.board.snapshot import COUNTED, read_queues


async def overview(request: Request) -> Response:
    """Every queue that may be seen."""
    board: Board = request.state.board
    snapshots = await read_queues(await board.visible_queues(request.state.who))
    return render(request, "overview.html", snapshots=snapshots, states=COUNTED)
