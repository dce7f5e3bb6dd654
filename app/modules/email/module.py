"""The module of this feature."""

from app.modules.email.mail_service import MailService
from app.modules.email.settings import MailSettings
from bullworks.core import command, module


@module(
    providers=[MailService, MailSettings, command("app.modules.email.demo:demo")],
    exports=[MailService],
)
class EmailModule:
    """Provides MailService, which sends mails."""
