"""Starting the service and keeping it up until a signal."""

import logging

from bullworks import __version__, logs
from bullworks.core import create_application
from bullworks.settings import Settings

log = logging.getLogger(__name__)


async def serve(settings: Settings, *, process: int | None = None) -> None:
    """Run the whole service; returns once a signal has ended it in order.

    Args:
        process: which of several processes this is, for the log; None: it stands alone.
    """
    from app.app_module import AppModule  # its imports are most of the start-up time: --help does without

    logs.configure(settings.log, process)
    log.info("Bullworks %s starts in %s", __version__, settings.app.app_env)
    async with await create_application(AppModule) as application:
        application.enable_shutdown_hooks()
        await application.wait_for_shutdown()
    log.info("Bullworks stopped")
