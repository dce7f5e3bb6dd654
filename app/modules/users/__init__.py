"""The users of this service."""

from app.modules.users.module import UsersModule
from app.modules.users.service import UserService

__all__ = ["UserService", "UsersModule"]
