"""The module of this feature."""

from app.modules.email.mail_service import MailService
from bullworks.core import module, provide
from bullworks.settings import MailSettings, Settings


def _mail_settings() -> MailSettings:
    return Settings.load().mail


@module(
    providers=[MailService, provide(MailSettings, use_factory=_mail_settings)],
    exports=[MailService],
)
class EmailModule:
    """MailService: sends mails."""
