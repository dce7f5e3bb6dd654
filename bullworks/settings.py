"""The configuration: one frozen class per concern, read from the environment and `.env`.

`Settings.load()` is the way in: it reports all problems at once. A variable of the environment wins over the
same one in `.env`, and an empty one counts as unset. Every variable is described in `.env.example`.
"""

import os
from dataclasses import dataclass, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ALL_WORKERS = "all"
REDIS_SCHEMES = (
    "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"
)  # fmt: skip
SMTP_SCHEMES = ("smtp", "smtps")
HTTP_SCHEMES = ("http", "https")
STARTTLS_CHOICES = ("auto", "required", "never")
DAY_MS = 24 * 60 * 60 * 1000  # no timeout of a service is sensibly longer
SHOWN_CHARS = 80  # of a wrong value: enough to recognise it, too few to flood a terminal


def project_folder() -> Path:
    """The checkout this file lies in; the current folder where the package was installed from a wheel."""
    folder = Path(__file__).resolve().parent.parent
    return folder if (folder / "pyproject.toml").is_file() else Path.cwd()


def _names(value: Any) -> Any:
    """Split `ticker,candles`; a sequence given by code stays as it is."""
    if not isinstance(value, str):
        return value
    names = [name.strip() for name in value.split(",")]
    if "" in names:
        raise ValueError("there is an empty name between the commas")
    return tuple(dict.fromkeys(names))


def _check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if ALL_WORKERS in names and len(names) > 1:
        raise ValueError(f"{ALL_WORKERS!r} stands alone, not beside names")
    return names


def _absolute(path: Path) -> Path:
    return project_folder() / path.expanduser()


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _check_scheme(url: SecretStr, schemes: tuple[str, ...]) -> SecretStr:
    # No part of the URL goes into the message: in a mistyped one any part may be the password.
    text = url.get_secret_value()
    if "://" not in text or urlsplit(text).scheme.lower() not in schemes:
        raise ValueError("it does not begin with " + ", ".join(f"{scheme}://" for scheme in schemes))
    return url


def _redis_url(url: SecretStr) -> SecretStr:
    return _check_scheme(url, REDIS_SCHEMES)


def _smtp_url(url: SecretStr) -> SecretStr:
    parts = urlsplit(_check_scheme(url, SMTP_SCHEMES).get_secret_value())
    try:
        has_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_address = False
    if not has_address:
        raise ValueError("it names no host, or its port is no number (is a / or # in the password not escaped?)")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if options and (list(options) != ["starttls"] or options["starttls"] not in STARTTLS_CHOICES):
        raise ValueError(f"after the ? it may only say starttls={' or '.join(STARTTLS_CHOICES)}")
    return url


def _http_url(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(_check_scheme(url, HTTP_SCHEMES).get_secret_value())
        has_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError("it is no URL as in https://api.example.com/path") from None
    if not has_address:
        raise ValueError("it names no host")
    return url


def _symbols(symbols: tuple[str, ...]) -> tuple[str, ...]:
    if any(not symbol.isprintable() or set("{}") & set(symbol) for symbol in symbols):
        raise ValueError("a symbol is printable and has no { or }")
    return symbols


def _sender(text: str) -> str:
    local, at, domain = parseaddr(text)[1].rpartition("@")
    if not (local and at and domain and text.isprintable()):
        raise ValueError("it is not a mail address")
    return text


def _queue_prefix(prefix: str) -> str:
    if not prefix.isprintable() or " " in prefix:
        raise ValueError("it holds a space or a control character")
    return prefix


def _host(host: str) -> str:
    if not host.isprintable() or " " in host or "/" in host:
        raise ValueError("it is no host")
    return host


Milliseconds = Annotated[int, Field(gt=0, le=DAY_MS)]
Folder = Annotated[Path, AfterValidator(_absolute)]
Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names), AfterValidator(_check_names)]


class _Section(BaseSettings):
    """What the sections share: a field is its variable's name in lower case, its description the hint."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_file=project_folder() / ".env",
        extra="ignore",  # .env may hold other programs' variables
        env_ignore_empty=True,
        env_file_encoding="utf-8",
        hide_input_in_errors=True,  # a traceback must not show a password
    )


class AppSettings(_Section):
    """Where this process runs."""

    app_env: Annotated[Literal["development", "test", "staging", "production"], BeforeValidator(_lower)] = Field(
        default="development", description="development, test, staging or production"
    )


class WorkersSettings(_Section):
    """Which workers this process runs."""

    workers_enabled: bool = Field(default=True, description="true, or false: this process only adds jobs")
    enabled_workers: Names = Field(
        default=(ALL_WORKERS,), description="all, or names with commas between them, as in ticker,candles"
    )
    schedule_runs: Annotated[Literal["all", "distributed", "none"], BeforeValidator(_lower)] = Field(
        default="all", description="all, distributed (only the crons that the fleet shares) or none"
    )
    history_enabled: bool = Field(
        default=True, description="true, or false: what workers do is not kept for charts and metrics"
    )
    presence_enabled: bool = Field(
        default=True, description="true, or false: the board is not told of this process's workers"
    )


class QueueSettings(_Section):
    """Where the queues are, and how long to wait for them."""

    queue_redis_url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = Field(
        default=None, description="as in redis://user:password@host:6379/0; unset: the embedded server"
    )
    queue_prefix: Annotated[str, AfterValidator(_queue_prefix)] = Field(
        default="bull", description="what every key begins with; a Redis Cluster needs a {tag} in it"
    )
    queue_data_dir: Folder = Field(
        default=Path("var/redis"),
        validate_default=True,
        description="the folder in which the embedded server keeps the queues",
    )
    queue_connect_timeout_ms: Milliseconds = Field(
        default=5_000, description="whole milliseconds: how long the start waits for Redis"
    )
    shutdown_grace_ms: Milliseconds = Field(
        default=10_000, description="whole milliseconds: how long jobs may go on running after SIGTERM"
    )


class WebSettings(_Section):
    """Where HTTP is served: health checks, metrics, the board."""

    http_serve: Annotated[Literal["always", "if-free", "never"], BeforeValidator(_lower)] = Field(
        default="always", description="always, if-free (a port that is taken ends no start) or never"
    )
    http_host: Annotated[str, AfterValidator(_host)] = Field(
        default="127.0.0.1", description="an address of this machine, as in 127.0.0.1 or 0.0.0.0"
    )
    http_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        default=3000, description="a port from 1 to 65535, or 0 for any that is free"
    )


class HealthSettings(_Section):
    """When this process is ready, and who may read its metrics."""

    health_max_wait_ms: Annotated[int, Field(ge=0, le=DAY_MS)] = Field(
        default=15 * 60 * 1000, description="whole milliseconds: how long a job may wait; 0: however long"
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="what Prometheus sends as Authorization: Bearer; unset, without a password: nobody"
    )
    metrics_user: str = Field(default="prometheus", description="the name that goes with METRICS_PASSWORD")
    metrics_password: SecretStr | None = Field(default=None, description="for Basic auth; unset: none")


class BoardSettings(_Section):
    """The board at /admin/queues: who may look and change."""

    board_enabled: bool = Field(default=True, description="true, or false: the board is not served")
    board_path: str = Field(default="/admin/queues", description="a path, as in /admin/queues")
    board_title: str = Field(default="Bullworks", description="what stands at the top of its pages")
    board_user: str = Field(default="admin", description="the name that goes with BOARD_PASSWORD")
    board_password: SecretStr | None = Field(default=None, description="unset: browsers are not asked to log in")
    board_token: SecretStr | None = Field(default=None, description="what programs send as Authorization: Bearer")
    board_read_only: bool = Field(default=False, description="true, or false: jobs and queues can be changed")
    board_allowed_hosts: Listed = Field(
        default=(), description="host names with commas between them, as in board.example.com; * for any text"
    )
    board_hidden_queues: Listed = Field(
        default=(), description="names of queues with commas between them, as in internal-*"
    )


class MailSettings(_Section):
    """How mail leaves."""

    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = Field(
        default=None, description="as in smtp://user:password@host:587; unset: the outbox folder"
    )
    smtp_timeout_ms: Milliseconds = Field(
        default=30_000, description="whole milliseconds: how long one mail may take, connecting included"
    )
    mail_from: Annotated[str, AfterValidator(_sender)] = Field(
        default="Bullworks <no-reply@localhost>", description="as in Shop <orders@example.com>"
    )
    mail_outbox_dir: Folder = Field(
        default=Path("var/outbox"),
        validate_default=True,
        description="the folder for .eml files, used while SMTP_URL is unset",
    )


class TickerSettings(_Section):
    """Where prices come from."""

    ticker_source_url: Annotated[SecretStr, AfterValidator(_http_url)] | None = Field(
        default=None, description="as in https://api.example.com/prices; unset: prices are made up"
    )
    ticker_timeout_ms: Milliseconds = Field(
        default=5_000, description="whole milliseconds: how long the source may take"
    )
    ticker_symbols: Annotated[Listed, AfterValidator(_symbols)] = Field(
        default=("BTC-USD", "ETH-USD"), description="names with commas between them, for which prices are made up"
    )
    ticker_keep_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=7, description="whole days, after which a symbol without a new price is forgotten"
    )


class CandlesSettings(_Section):
    """What prices are folded into."""

    candles_interval_ms: Annotated[int, Field(ge=1_000, le=DAY_MS)] = Field(
        default=60_000, description="whole milliseconds, from a second to a day: the length of a candle"
    )
    candles_keep: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1_440, description="how many candles of a symbol are kept"
    )


class SyncSettings(_Section):
    """What is synced."""

    sync_source_url: Annotated[SecretStr, AfterValidator(_http_url)] | None = Field(
        default=None, description="as in https://api.example.com/data; unset: nothing is fetched"
    )
    sync_timeout_ms: Milliseconds = Field(
        default=30_000, description="whole milliseconds: how long the source may take"
    )


class LogSettings(_Section):
    """What is logged, and in what form."""

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Annotated[Literal["auto", "text", "json"], BeforeValidator(_lower)] = Field(
        default="auto", description="text, json, or auto: text on a terminal, JSON lines otherwise"
    )


class SettingsError(Exception):
    """The configuration cannot be used; holds everything that is wrong with it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        count = "a problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        return "\n  ".join([f"the configuration has {count}:", *self.problems])


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All sections, read together so that one error names everything that is wrong."""

    app: AppSettings
    workers: WorkersSettings
    queue: QueueSettings
    web: WebSettings
    health: HealthSettings
    board: BoardSettings
    mail: MailSettings
    ticker: TickerSettings
    candles: CandlesSettings
    sync: SyncSettings
    log: LogSettings

    @classmethod
    def load(cls, env_file: Path | None = None) -> "Settings":
        """The configuration of this process, as the environment is now.

        Args:
            env_file: read instead of the `.env` in `project_folder()`; neither needs to exist.

        Raises:
            SettingsError: a value is wrong, or APP_ENV=production has no QUEUE_REDIS_URL.
        """
        file = env_file or project_folder() / ".env"
        problems: list[str] = []
        sections: dict[str, Any] = {field.name: _read(field.type, file, problems) for field in fields(cls)}
        app, queue = sections["app"], sections["queue"]
        if app and queue and app.app_env == "production" and queue.queue_redis_url is None:
            problems.append(
                "QUEUE_REDIS_URL is unset: with APP_ENV=production there is no embedded server. "
                f"Expected: {_hint(QueueSettings, 'queue_redis_url').partition(';')[0]}"
            )
        if problems:
            raise SettingsError(tuple(dict.fromkeys(problems)))
        return cls(**sections)


def _read(section: Any, env_file: Path, problems: list[str]) -> _Section | None:
    """One section, or None after adding what is wrong with it to the problems."""
    try:
        read: _Section = section(_env_file=env_file)
        return read
    except ValidationError as error:
        problems.extend(_problem(section, detail, env_file) for detail in error.errors(include_url=False))
    except (UnicodeDecodeError, OSError) as error:
        problems.append(f"{env_file} cannot be read as UTF-8 text: {error}")
    return None


def _problem(section: type[_Section], detail: ErrorDetails, env_file: Path) -> str:
    """One line: the variable, its value unless that is a secret, what is wrong, and what is expected."""
    field = str(detail["loc"][0])
    variable = field.upper()
    if "SecretStr" in str(section.model_fields[field].annotation):
        given = f"{variable} (value not shown)"
    else:
        given = f"{variable}={ascii(os.environ.get(variable, detail['input']))[:SHOWN_CHARS]}"
    where = "" if variable in os.environ else f" in {env_file}"
    wrong = detail["msg"].removeprefix("Value error, ")
    return f"{given}{where}: {wrong[:1].lower()}{wrong[1:]}. Expected: {_hint(section, field)}"


def _hint(section: type[_Section], field: str) -> str:
    return section.model_fields[field].description or ""
