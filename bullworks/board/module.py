"""BoardModule: the board in an application, beside its workers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Literal

from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

from bullworks.board.app import BoardApp
from bullworks.board.board import Board
from bullworks.board.errors import OpenInProductionError
from bullworks.board.history import HistorySource
from bullworks.board.options import DEFAULT_PATH, BoardOptions, checked_path, checked_public_url
from bullworks.board.queues import BoardQueue, BoardQueueOptions, BoardQueues
from bullworks.board.security import Auth, Policy, any_auth, basic_auth, bearer_auth, role_policy
from bullworks.board.security.access import all_of
from bullworks.board.security.guard import LOOPBACK_HOSTS
from bullworks.board.settings import BoardSettings, pairs_of, users_of
from bullworks.board.ui import BoardUi
from bullworks.bullmq import Queue
from bullworks.core import Discovery, ModuleContainer, Shutdown, Token, dynamic_module, provide
from bullworks.schedule import SchedulerRegistry
from bullworks.web import WEB_SETUP, WebRoutes, WebSetup, get_routes_token
from bullworks.workers.tokens import QueueToken

FromSettings = Literal["settings"]

_NEEDS_AUTH = "it has no auth. Set BOARD_PASSWORD or BOARD_TOKEN, or give BoardModule.for_root(auth=...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSetup:
    """The completed options of an application's board.

    Args:
        allowed_hosts: besides localhost and the name that HTTP is served at.
        hidden: names of queues that are not shown.
    """

    is_served: bool = True
    base_path: str = DEFAULT_PATH
    allowed_hosts: Sequence[str] = ()
    hidden: Sequence[str] = ()
    options: BoardOptions = field(default_factory=BoardOptions)


SETUP: Token[BoardSetup] = Token("board:setup")


class BoardService:
    """The board of an application: it shows all queues that BullModule registered.

    Attributes:
        app: the ASGI app.
        setup: where and how it is served.
    """

    def __init__(
        self,
        setup: BoardSetup,
        web: WebSetup,
        discovery: Discovery,
        shutdown: Shutdown,
        *,
        extra: Iterable[BoardQueue] = (),
        queue_options: Mapping[str, BoardQueueOptions] | None = None,
    ) -> None:
        hosts = (*LOOPBACK_HOSTS, *setup.allowed_hosts)
        if not _is_any_address(web.host):
            hosts += (f"[{web.host}]" if ":" in web.host else web.host,)
        self.setup = setup
        self._discovery = discovery
        self._extra = tuple(extra)
        self._queue_options = queue_options or {}
        options = replace(setup.options, allowed_hosts=hosts)
        board = Board(BoardQueues(hidden=setup.hidden), options, BoardUi.load())
        # asked for each time: an application that starts again has another event
        self.app = BoardApp(board, lambda: shutdown.requested)

    @property
    def board(self) -> Board:
        return self.app.board

    @property
    def auth(self) -> Auth | None:
        """The board's authentication, for `WebRoutes.guarded(board.auth, ...)`; None means it has none."""
        return self.setup.options.auth

    def routes(self) -> WebRoutes:
        """Build the board's routes for the web server."""
        if not self.setup.is_served:
            return WebRoutes(())
        needs_loopback = None if self.setup.options.auth is not None else _NEEDS_AUTH
        path = self.setup.base_path
        # relative, as only the browser knows what lies before this path, and whether it is https
        entry = Route(path, RedirectResponse(f"{path.rpartition('/')[2]}/"), methods=None)
        return WebRoutes((entry, Mount(path, app=self.app)), loopback_only=needs_loopback)

    def on_module_init(self) -> None:
        """Gather the queues, and find the crons of this process.

        Raises:
            SameQueueNameError: two queues would have one name.
        """
        queues = self.board.queues
        for entry in self._extra:
            queues.add(entry)
        shown = {entry.queue for entry in self._extra}
        for provider in self._discovery.providers():
            # by its true class: what a test put in a queue's place has no jobs in Redis
            is_real = provider.made_from is not None and issubclass(provider.made_from, Queue)
            queue = provider.instance
            if isinstance(queue, SchedulerRegistry):
                self.board.crons = queue
            if not (isinstance(provider.token, QueueToken) and is_real and isinstance(queue, Queue)) or queue in shown:
                continue
            shown.add(queue)
            queues.add(BoardQueue(queue=queue, **self._queue_options.get(queue.name, {})))


class BoardModule:
    """Import `for_root()` once, beside `WebModule.for_root()`."""

    @classmethod
    def for_root(
        cls,
        *,
        auth: Auth | FromSettings | None = "settings",
        base_path: str | None = None,
        queues: Iterable[Queue[Any] | BoardQueue] = (),
        queue_options: Mapping[str, BoardQueueOptions] | None = None,
        hidden: Sequence[str] | None = None,
        allowed_hosts: Sequence[str] | None = None,
        title: str | None = None,
        read_only: bool | None = None,
        policy: Policy | None = None,
        public_url: str | None = None,
        trusted_proxies: Sequence[str] | None = None,
        history: HistorySource | None = None,
        show_redis: bool = True,
        show_workers: bool = True,
    ) -> ModuleContainer:
        """The board, served by WebModule.

        Args:
            auth: who asks, see `Auth`; "settings": as BOARD_PASSWORD and BOARD_TOKEN say, and what else is left out
                comes from the settings as well. With anything else, None included, nothing is read from the
                environment.
            base_path: "/admin/queues", or BOARD_PATH.
            queues: shown besides those that BullModule registered.
            queue_options: how registered queues are shown, by their names.
            hidden: names of queues that are not shown, `*` for any text; or BOARD_HIDDEN_QUEUES.
            allowed_hosts: host names under which it is reached, besides localhost and HTTP_HOST; or
                BOARD_ALLOWED_HOSTS.
            title, read_only: or BOARD_TITLE and BOARD_READ_ONLY.
            public_url, trusted_proxies: see BoardOptions; or BOARD_PUBLIC_URL and BOARD_TRUSTED_PROXIES.
            policy: see BoardOptions; where BOARD_ROLES is set, both must allow what is done.
            history, show_redis, show_workers: see BoardOptions.

        Raises:
            BadBasePathError: the path cannot be used.
            BadPublicUrlError: the public URL cannot be used.
        """
        if base_path is not None:
            checked_path(base_path)
        extra = [queue if isinstance(queue, BoardQueue) else BoardQueue(queue=queue) for queue in queues]

        def setup(settings: BoardSettings | None = None) -> BoardSetup:
            given = BoardSetup() if settings is None else _from_settings(settings)
            options = replace(
                given.options,
                policy=all_of(given.options.policy, policy),
                public_url=given.options.public_url if public_url is None else checked_public_url(public_url),
                trusted_proxies=given.options.trusted_proxies if trusted_proxies is None else tuple(trusted_proxies),
                history=history,
                show_redis=show_redis,
                show_workers=show_workers,
                title=given.options.title if title is None else title,
                read_only=given.options.read_only if read_only is None else read_only,
            )
            if not isinstance(auth, str):
                options = replace(options, auth=auth)
            return replace(
                given,
                options=options,
                base_path=checked_path(given.base_path if base_path is None else base_path),
                hidden=given.hidden if hidden is None else tuple(hidden),
                allowed_hosts=given.allowed_hosts if allowed_hosts is None else tuple(allowed_hosts),
            )

        def service(setup: BoardSetup, web: WebSetup, discovery: Discovery, shutdown: Shutdown) -> BoardService:
            return BoardService(setup, web, discovery, shutdown, extra=extra, queue_options=queue_options)

        needed = [BoardSettings] if auth == "settings" else []
        return dynamic_module(
            BoardModule,
            providers=[
                *needed,
                provide(SETUP, use_factory=setup, inject=needed),
                provide(BoardService, use_factory=service, inject=[SETUP, WEB_SETUP, Discovery, Shutdown]),
                provide(get_routes_token("board"), use_factory=BoardService.routes, inject=[BoardService]),
            ],
            exports=[BoardService],
        )


def _is_any_address(host: str) -> bool:
    """Whether it stands for all addresses of this machine, so that no client calls it by that."""
    try:
        return not host or ip_address(host).is_unspecified
    except ValueError:
        return False


def _from_settings(given: BoardSettings) -> BoardSetup:
    passwords = {} if given.board_users is None else users_of(given.board_users)
    if given.board_password is not None:
        passwords[given.board_user] = given.board_password.get_secret_value()
    ways: list[Auth] = [basic_auth(passwords)] if passwords else []
    if given.board_token is not None:
        ways.append(bearer_auth({given.board_token.get_secret_value(): "token"}))
    if not ways and given.board_enabled and given.app_env == "production":
        raise OpenInProductionError
    auth = None if not ways else ways[0] if len(ways) == 1 else any_auth(*ways)
    return BoardSetup(
        is_served=given.board_enabled,
        base_path=given.board_path,
        allowed_hosts=given.board_allowed_hosts,
        hidden=given.board_hidden_queues,
        options=BoardOptions(
            title=given.board_title,
            auth=auth,
            policy=role_policy(pairs_of(given.board_roles)) if given.board_roles else None,
            read_only=given.board_read_only,
            public_url=given.board_public_url,
            secret=None if given.board_secret is None else given.board_secret.get_secret_value(),
            trusted_proxies=given.board_trusted_proxies,
        ),
    )
