"""Modules that provide limits."""

from functools import partial

from bullworks.core import ModuleContainer, dynamic_module, provide
from bullworks.limits import Limit, Window
from bullworks.redis import PipelinedConnection
from bullworks.workers.tokens import ConnectionTokens, get_limit_token


class LimitModule:
    """The container of one limit."""


def limit_module(name: str, windows: tuple[Window, ...], config_key: str | None = None) -> ModuleContainer:
    """Build the module of a limit; registered twice with the same windows it is one.

    Raises:
        InvalidLimitError: the name or the windows cannot be used.
    """
    Limit.check(name, windows)
    token, over = get_limit_token(name), ConnectionTokens.of(config_key)
    return dynamic_module(
        LimitModule,
        name=f"LimitModule({name})",
        providers=[provide(token, use_factory=partial(make_limit, name, windows), inject=[over.connection])],
        exports=[token],
        key=(LimitModule, config_key, name, windows),
    )


def make_limit(name: str, windows: tuple[Window, ...], connection: PipelinedConnection) -> Limit:
    """Make a limit over the shared connection, which is closed after the last shutdown hook."""
    return Limit(name, *windows, connection=connection)
