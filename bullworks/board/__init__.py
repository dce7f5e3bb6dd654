"""Bull Board over our queues, and pages of our own beside it: an ASGI app, at /admin/queues."""

from bullworks.extras import require

require("board", "the board")

from bullworks.board.app import BoardApp, board_app
from bullworks.board.audit import AuditEvent
from bullworks.board.errors import (
    BadBasePathError,
    BadPublicUrlError,
    BoardError,
    OpenInProductionError,
    SameQueueNameError,
)
from bullworks.board.history import HistorySource
from bullworks.board.module import BoardModule, BoardService
from bullworks.board.options import BoardOptions
from bullworks.board.queues import BoardQueue, BoardQueueOptions
from bullworks.board.security import (
    Access,
    Action,
    Auth,
    Identity,
    Policy,
    Role,
    any_auth,
    basic_auth,
    bearer_auth,
    role_policy,
)
from bullworks.board.settings import BoardSettings

__all__ = [
    "Access",
    "Action",
    "AuditEvent",
    "Auth",
    "BadBasePathError",
    "BadPublicUrlError",
    "BoardApp",
    "BoardError",
    "BoardModule",
    "BoardOptions",
    "BoardQueue",
    "BoardQueueOptions",
    "BoardService",
    "BoardSettings",
    "HistorySource",
    "Identity",
    "OpenInProductionError",
    "Policy",
    "Role",
    "SameQueueNameError",
    "any_auth",
    "basic_auth",
    "bearer_auth",
    "board_app",
    "role_policy",
]
