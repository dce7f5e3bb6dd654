"""The module of this feature."""

from app.core import module
from app.modules.users.service import UserService
from app.workers import WorkersModule


@module(
    imports=[WorkersModule.register_queue("email")],
    providers=[UserService],
    exports=[UserService],
)
class UsersModule:
    """UserService, which queues mails without knowing who sends them."""
