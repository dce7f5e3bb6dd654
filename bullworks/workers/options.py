"""The options of BullModule, and how they are completed from the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

from bullworks.bullmq import Duration, InvalidOptionError, JobOptions, JobOpts, Telemetry, to_ms
from bullworks.redis import Client, ConnectionOptions, Endpoint, url_of
from bullworks.schedule.host_context import Runs
from bullworks.settings import SettingsSource
from bullworks.workers.selection import Selection
from bullworks.workers.settings import QueueSettings, WorkersSettings


class BullOptions(TypedDict, total=False):
    """Options of `BullModule.for_root()`: the connection, and which workers this process runs.

    With a connection nothing is read from the environment: what is left out has BullMQ's default, and all
    workers run. Without one, what is left out comes from the settings.

    Attributes:
        connection: a URL, a dict of one ({"url": ...}, or host and port), an endpoint, or a redis.asyncio client, of
            which the settings are read and which stays the caller's own; unless given, QUEUE_REDIS_URL, or else the
            embedded server.
        prefix: of all keys; "bull", or QUEUE_PREFIX.
        default_job_options: for every job that neither says otherwise nor its queue's own; see JobOptions.
        workers_enabled: false: this process only adds jobs; True, or WORKERS_ENABLED.
        enabled_workers: "all", or the names of those that this process runs; "all", or ENABLED_WORKERS.
        shutdown_grace: how long running jobs may continue at the end; 10 s, or SHUTDOWN_GRACE_MS.
        manual_registration: workers and listeners wait until `WorkersRegistrar.register()` is called.
        telemetry: observes all queues, workers and flow producers, as `bullworks.bullmq.otel.BullMQOtel` does; none
            unless given.
    """

    connection: str | ConnectionOptions | Client | Endpoint | None
    prefix: str | None
    default_job_options: JobOptions | None
    workers_enabled: bool | None
    enabled_workers: str | Sequence[str] | None
    shutdown_grace: Duration | None
    manual_registration: bool
    telemetry: Telemetry[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RootOptions:
    """The options of one `for_root()` as given; None means left out. See `BullOptions`."""

    connection: str | Client | Endpoint | None = None
    prefix: str | None = None
    default_job_options: JobOptions | None = field(default=None, hash=False)  # a dict has no hash
    workers_enabled: bool | None = None
    enabled_workers: str | tuple[str, ...] | None = None
    shutdown_grace: Duration | None = None
    manual_registration: bool = False
    telemetry: Telemetry[Any] | None = None

    @classmethod
    def of(cls, given: BullOptions) -> "RootOptions":
        """Collect the options of a `for_root()`.

        Raises:
            InvalidOptionError: an unknown option, or a default for jobs that cannot be used.
            BadUrlError: a dict of connection options that cannot be used.
        """
        if not isinstance(given, Mapping):
            raise InvalidOptionError("options", f"must be BullOptions, a dict, not {given!r}")
        for option in given:
            if option not in BullOptions.__annotations__:
                known = BullOptions.__annotations__
                raise InvalidOptionError.unknown(option, known, of_jobs=JobOptions.__annotations__)
        JobOpts.of(given.get("default_job_options") or {})
        names, connection = given.get("enabled_workers"), given.get("connection")
        hashable = {
            "enabled_workers": names if isinstance(names, str | None) else tuple(names),
            "connection": url_of(connection) if isinstance(connection, Mapping) else connection,
        }
        return cls(**{**given, **hashable})  # type: ignore[arg-type]

    def further_connection(self) -> str | Client | Endpoint:
        """Build the options of a further connection, with a config_key, which sets the connection only.

        Raises:
            InvalidOptionError: there is no connection, or an option of the whole process is given.
        """
        if self.connection is None:
            raise InvalidOptionError("connection", "must be given where there is a config_key")
        for option in ("workers_enabled", "enabled_workers", "shutdown_grace", "manual_registration", "telemetry"):
            if getattr(self, option) != RootOptions.__dataclass_fields__[option].default:
                raise InvalidOptionError(
                    option, "applies to the whole process; give it to the for_root() without config_key"
                )
        return self.connection


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersSetup:
    """The completed options of a `for_root()`.

    Args:
        server: where Redis is; a folder stands for the embedded server that keeps its data there.
        selection: which workers run.
        schedule_runs: what runs of crons, intervals and timeouts; "all", or SCHEDULE_RUNS.
    """

    server: Endpoint | Path
    prefix: str = "bull"
    default_job_options: JobOptions | None = None
    selection: Selection = field(default_factory=Selection)
    shutdown_grace_ms: int = 10_000
    manual_registration: bool = False
    telemetry: Telemetry[Any] | None = None
    schedule_runs: Runs = "all"


def complete(
    options: RootOptions, queues: QueueSettings | None = None, workers: WorkersSettings | None = None
) -> WorkersSetup:
    """Complete the options from the settings.

    Args:
        queues, workers: needed where there is no connection.

    Raises:
        BadUrlError, UnusableClientError: the connection cannot be used.
        ValueError: shutdown_grace is not a duration.
    """
    if options.connection is not None:
        setup = WorkersSetup(server=Endpoint.of(options.connection))
    elif queues is not None and workers is not None:
        setup = _from_settings(queues, workers)
    else:
        raise InvalidOptionError("connection", "must be given where no settings are read")
    selection = setup.selection
    if options.enabled_workers is not None:
        selection = Selection.of(selection.is_enabled, options.enabled_workers)
    if options.workers_enabled is not None:
        selection = replace(selection, is_enabled=options.workers_enabled)
    grace = options.shutdown_grace
    return replace(
        setup,
        prefix=options.prefix or setup.prefix,
        default_job_options=options.default_job_options,
        selection=selection,
        shutdown_grace_ms=setup.shutdown_grace_ms if grace is None else to_ms(grace, "shutdown_grace"),
        manual_registration=options.manual_registration,
        telemetry=options.telemetry,
    )


def complete_from(options: RootOptions, settings: SettingsSource) -> WorkersSetup:
    """Complete the options from settings that are read only if needed.

    Raises:
        SettingsError: they are, and cannot be used.
        BadUrlError, UnusableClientError, ValueError: as `complete`.
    """
    if options.connection is not None:
        return complete(options)
    return complete(options, settings[QueueSettings], settings[WorkersSettings])


def complete_named(options: RootOptions, root: WorkersSetup) -> WorkersSetup:
    """Complete the options of a further connection, which shares the process-wide ones of the first.

    Raises:
        InvalidOptionError: there is no connection, or an option of the whole process is given.
        BadUrlError, UnusableClientError: the connection cannot be used.
    """
    return replace(
        root,
        server=Endpoint.of(options.further_connection()),
        prefix=options.prefix or "bull",
        default_job_options=options.default_job_options,
    )


def _from_settings(queues: QueueSettings, workers: WorkersSettings) -> WorkersSetup:
    url = queues.queue_redis_url
    return WorkersSetup(
        server=(
            queues.queue_data_dir
            if url is None
            else Endpoint.of(url.get_secret_value(), connect_timeout_ms=queues.queue_connect_timeout_ms)
        ),
        prefix=queues.queue_prefix,
        selection=Selection.of(workers.workers_enabled, workers.enabled_workers),
        shutdown_grace_ms=queues.shutdown_grace_ms,
        schedule_runs=workers.schedule_runs,
    )
