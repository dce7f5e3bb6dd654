"""What is written as in Nest, npm bullmq, Celery or taskiq works, or is refused with the line to write."""

import importlib
from typing import Any
from unittest.mock import AsyncMock

import pytest

from bullworks.bullmq import InvalidOptionError, JobOptions, JobSpec, Queue, SyncQueue
from bullworks.core import create_application
from bullworks.redis import BadUrlError, Endpoint
from bullworks.testing import QueueHarness
from bullworks.workers import BullModule, WorkerHost, get_queue_token, processor

NOWHERE = "redis://127.0.0.1:1/0"


async def test_options_may_stand_in_a_dict_behind_the_data() -> None:
    harness: QueueHarness[Any] = QueueHarness("mail")
    options: JobOptions = {"attempts": 3, "backoff": {"type": "exponential", "delay": 60_000}}
    given = await harness.queue.add("mail", {"to": "you"}, options, priority=1)
    by_name = await harness.add("mail", {"to": "you"}, **options, priority=1)
    (of_many,) = await harness.queue.add_bulk([JobSpec("mail", {"to": "you"}, options, priority=1)])
    assert given.opts == by_name.opts == of_many.opts
    assert (await harness.add("mail", opts={"delay": 5})).delay == 5
    assert options == {"attempts": 3, "backoff": {"type": "exponential", "delay": 60_000}}


@pytest.mark.parametrize(
    ("opts", "named", "text"),
    [
        (
            {"attempts": 3, "removeOnComplete": True, "removeOnFail": False},
            {},
            (
                "opts: removeOnComplete, removeOnFail: unknown options; "
                'write {"attempts": ..., "remove_on_complete": ..., "remove_on_fail": ...}'
            ),
        ),
        (
            {"countdown": 5},
            {},
            'opts: countdown: unknown options; write {"delay": ...}; delay: in ms, or a timedelta',
        ),
        ({"atempts": 3}, {}, "atempts: unknown option; did you mean attempts?"),
        ({"attempts": 3}, {"attempts": 4}, "attempts: is given twice, in the dict and by name; keep one"),
        ("high", {}, """opts: must be a dict of JobOptions, as in {"attempts": 3}, not 'high'"""),
        (None, {"retries": 3}, "retries: unknown option; did you mean attempts? (it counts all runs: 2 retries are "),
        (None, {"eta": 3}, "eta: unknown option; did you mean delay? (from now on: delay=eta - datetime.now(UTC))"),
        (None, {"jobId": "a"}, "jobId: unknown option; did you mean job_id?"),
        (None, {"task_id": "a"}, "task_id: unknown option; did you mean job_id?"),
    ],
)
async def test_options_of_other_names_are_refused_with_those_to_write(opts: Any, named: Any, text: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        await QueueHarness[Any]("mail").add("mail", {}, opts, **named)
    assert str(caught.value).startswith(text)


def test_a_worker_s_retries_are_an_option_of_jobs() -> None:
    options: Any = {"max_retries": 3}
    with pytest.raises(InvalidOptionError, match=r"attempts is an option of jobs: give it to queue\.add\(\)"):
        processor("mail", **options)


async def test_queues_may_be_registered_as_dicts_each_with_options_of_its_own() -> None:
    root = BullModule.for_root(
        connection={"url": NOWHERE},
        default_job_options={"attempts": 3, "remove_on_complete": True},
        imports=[
            BullModule.register_queue(
                {"name": "email", "default_job_options": {"attempts": 5}}, {"name": "ticker"}, prefix="own"
            ),
            BullModule.register_queue("plain"),
        ],
    )
    app = create_application(root)
    email, ticker, plain = [await app.resolve(get_queue_token(name)) for name in ("email", "ticker", "plain")]
    assert (email.keys.prefix, ticker.keys.prefix, plain.keys.prefix) == ("own", "own", "bull")
    assert email.default_job_options == {"attempts": 5, "remove_on_complete": True}
    assert ticker.default_job_options == plain.default_job_options == {"attempts": 3, "remove_on_complete": True}
    assert plain.connection.endpoint.describe() == Endpoint.of(NOWHERE).describe()


async def test_defaults_of_an_async_root_and_of_a_further_connection_are_their_own() -> None:
    further = BullModule.for_root(config_key="far", connection=NOWHERE, default_job_options={"attempts": 2})
    root = BullModule.for_root_async(
        use_factory=lambda: {"connection": {"host": "::1", "port": 1}, "default_job_options": {"attempts": 3}},
        queues=["near"],
        imports=[further, BullModule.register_queue({"name": "far", "config_key": "far"})],
    )
    app = create_application(root)
    near, far = [await app.resolve(get_queue_token(name)) for name in ("near", "far")]
    assert (near.default_job_options, far.default_job_options) == ({"attempts": 3}, {"attempts": 2})
    assert near.connection.endpoint.describe() == "redis://[::1]:1/0"


@pytest.mark.parametrize(
    ("register", "text"),
    [
        (lambda: BullModule.register_queue({"prefix": "a"}), 'name: is missing; write {"name": "ticker"}'),
        (
            lambda: BullModule.register_queue({"name": "a", "defaultJobOptions": {}}),
            "defaultJobOptions: unknown option; did you mean default_job_options?",
        ),
        (
            lambda: BullModule.register_queue({"name": "a", "connection": {"url": NOWHERE}}),
            'connection: is not an option of one queue; give it to a for_root(config_key="reports", connection=...)',
        ),
        (
            lambda: BullModule.register_queue_async({"name": "a"}, use_factory=dict),
            'name: is not a dict here; write register_queue_async("a", use_factory=..., inject=[...])',
        ),
        (
            lambda: BullModule.for_root(connection=NOWHERE, default_job_options={"retries": 3}),
            "retries: unknown option; did you mean attempts?",
        ),
        (
            lambda: BullModule.for_root(defaultJobOptions={}),
            "defaultJobOptions: unknown option; did you mean default_job_options?",
        ),
    ],
)
def test_shapes_that_are_not_taken_say_what_is(register: Any, text: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        register()
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({"url": "rediss://a:1/2"}, "rediss://a:1/2"),
        ({"host": "a"}, "redis://a:6379/0"),
        ({"host": "a", "port": 7, "db": 3, "password": "p@:s"}, "redis://:***@a:7/3"),
        ({"host": "a", "username": "u", "password": None}, "redis://u@a:6379/0"),
    ],
)
def test_a_connection_may_be_a_dict(options: Any, url: str) -> None:
    assert Endpoint.of(options).describe() == Endpoint.of(url).describe()
    assert Queue("q", connection=options).connection.endpoint == Endpoint.of(options)
    with SyncQueue("q", connection=options) as queue:
        assert Endpoint.of(url).describe() in repr(queue)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"url": None}, "url is None. Is its environment variable set? Without connection= QUEUE_REDIS_URL is read."),
        ({"url": NOWHERE, "db": 1}, 'url stands beside its parts. Write {"url": ...} alone.'),
        ({"host": "a", "tls": {}}, """the option 'tls' is unknown. Write {"url": "rediss://..."} for TLS."""),
        ({"maxRetriesPerRequest": None}, "the option 'maxRetriesPerRequest' is unknown. Known: url, host, port, "),
        ({"host": "a", "port": "6379"}, """port is '6379', not a whole number. Write {"port": 6379}."""),
    ],
)
def test_a_connection_dict_that_is_not_taken_says_what_is(options: Any, text: str) -> None:
    for use in (Endpoint.of, lambda given: BullModule.for_root(connection=given)):
        with pytest.raises(BadUrlError) as caught:
            use(options)
        assert text in str(caught.value)


def test_calls_and_decorators_of_other_libraries_say_what_is_written_here() -> None:
    host: Any = type("EmailWorker", (WorkerHost,), {})
    for owner in (Queue, Queue("q", connection=NOWHERE), SyncQueue, host, host()):
        for call in ("delay", "apply_async", "kiq", "send_task"):
            assert not hasattr(owner, call)
            with pytest.raises(AttributeError, match=rf"has no {call}\(\); .*await queue\.add\(\"job-name\""):
                getattr(owner, call)
        with pytest.raises(AttributeError, match=r"has no task\(\); .*@processor\(\"queue-name\"\)"):
            _ = owner.task  # type: ignore[attr-defined]
    for module in ("bullworks", "bullworks.bullmq", "bullworks.workers"):
        for name in ("task", "shared_task"):
            with pytest.raises(ImportError, match=rf"{module} has no {name}; .*@processor\(\"queue-name\"\)"):
                exec(f"from {module} import {name}")
        with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'tusk'"):
            _ = importlib.import_module(module).tusk
    assert AsyncMock(spec=Queue).add is not None
