"""The module of this feature."""

from app.core import module, provide
from app.modules.email.mail_service import MailService
from app.modules.email.worker import EmailWorker
from app.settings import MailSettings, Settings
from app.workers import WorkersModule


def _mail_settings() -> MailSettings:
    return Settings.load().mail


@module(
    imports=[WorkersModule.register_queue("email")],
    providers=[EmailWorker, MailService, provide(MailSettings, use_factory=_mail_settings)],
    exports=[MailService],
)
class EmailModule:
    """The queue `email`, its worker, and MailService for features that send mail themselves."""
