"""Starting the service and keeping it up until a signal."""

import logging

from bullworks import __version__, logs
from bullworks.cli.program import Program
from bullworks.logs import LogSettings
from bullworks.workers import QueueSettings

log = logging.getLogger(__name__)


async def serve(program: Program, *, process: int | None = None) -> None:
    """Run the whole service until a signal ends it in order.

    Args:
        process: which of several processes this is, for the log; None means it stands alone.
    """
    application = program.application()
    program.settings.check([LogSettings, QueueSettings, *application.discovery.settings_classes()])
    logs.configure(program.settings[LogSettings], process)
    log.info("Bullworks %s starts in %s", __version__, program.settings[QueueSettings].app_env)
    await application.run()
    log.info("Bullworks stopped")
