"""The composition root: what this service is made of."""

from app.core import module
from app.modules.email import EmailModule
from app.modules.users import UsersModule
from app.workers import WorkersModule


@module(imports=[WorkersModule.for_root(), EmailModule, UsersModule])
class AppModule:
    """Workers and queues, and one module a feature. A new feature is one more entry here."""
