"""Greetings: queued by any caller, written by GreetingsWorker."""

from app.modules.greetings.module import GreetingsModule
from app.modules.greetings.service import GreetingService
from app.modules.greetings.settings import GreetingSettings

__all__ = ["GreetingService", "GreetingSettings", "GreetingsModule"]
