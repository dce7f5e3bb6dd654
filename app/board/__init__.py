"""Bull Board over our queues, and pages of our own beside it: an ASGI app, at /admin/queues."""

from app.board.app import BoardApp, board_app
from app.board.audit import AuditEvent
from app.board.errors import BadBasePathError, BoardError, SameQueueNameError
from app.board.history import HistorySource
from app.board.module import BoardModule, BoardService
from app.board.options import BoardOptions
from app.board.queues import BoardQueue, BoardQueueOptions
from app.board.security import Access, Action, Auth, Identity, Policy, any_auth, basic_auth, bearer_auth

__all__ = [
    "Access",
    "Action",
    "AuditEvent",
    "Auth",
    "BadBasePathError",
    "BoardApp",
    "BoardError",
    "BoardModule",
    "BoardOptions",
    "BoardQueue",
    "BoardQueueOptions",
    "BoardService",
    "HistorySource",
    "Identity",
    "Policy",
    "SameQueueNameError",
    "any_auth",
    "basic_auth",
    "bearer_auth",
    "board_app",
]
