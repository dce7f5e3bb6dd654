"""The module of this feature."""

from app.modules.users.service import UserService
from bullworks.core import module
from bullworks.workers import BullModule


@module(
    imports=[BullModule.register_queue("email")],
    providers=[UserService],
    exports=[UserService],
)
class UsersModule:
    """Provides UserService, which queues mails without knowing who sends them."""
