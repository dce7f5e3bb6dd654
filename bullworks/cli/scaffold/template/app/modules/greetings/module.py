"""The module of this feature."""

from bullworks.core import module
from bullworks.workers import BullModule

from app.modules.greetings.service import GreetingService
from app.modules.greetings.settings import GreetingSettings


@module(
    imports=[BullModule.register_queue("greetings")],
    providers=[GreetingService, GreetingSettings],
    exports=[GreetingService],
)
class GreetingsModule:
    """GreetingService. Another feature that imports this module may ask for it."""
