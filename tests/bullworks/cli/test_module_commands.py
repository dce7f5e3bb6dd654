"""`main.py modules`: the wiring, looked at without building anything."""

import re
from typing import Annotated

import pytest

from bullworks.bullmq import Job, SyncJob
from bullworks.cli.module_drawing import mermaid, tree
from bullworks.cli.module_outline import ModuleOutline, outline
from bullworks.core import Inject, Scope, Token, create_application, module, provide
from bullworks.schedule import CronExpression, cron, interval, timeout
from bullworks.workers import (
    JOB,
    BullModule,
    QueueEventsHost,
    WorkerHost,
    process,
    processor,
    queue_events_listener,
)
from tests.bullworks.cli.conftest import Command
from tests.bullworks.servers import free_port


@pytest.fixture(autouse=True)
def unreachable(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connected would fail."""
    monkeypatch.setenv("QUEUE_REDIS_URL", f"redis://127.0.0.1:{free_port()}")


@processor("report", config_key="reports", concurrency=4)
class ReportWorker(WorkerHost):
    def __init__(self, job: Annotated[Job, Inject(JOB)]) -> None: ...

    @process("weekly", "daily")
    async def periodic(self, job: Job) -> None: ...


@processor("image", process_pool=2)
class ImageWorker(WorkerHost):
    def process(self, job: SyncJob) -> None: ...


@queue_events_listener("image")
class ImageListener(QueueEventsHost): ...


class Ticker:
    @cron(CronExpression.EVERY_10_SECONDS)
    @cron("0 0 * * *", name='the "nightly" one', distributed=True)
    async def tick(self) -> None: ...

    @interval("poll", 5_000)
    async def poll(self) -> None: ...

    @timeout(1_000)
    async def warm_up(self) -> None: ...


def nothing_built() -> None:
    raise AssertionError("something was built")


@module(
    imports=[
        BullModule.register_queue("report", config_key="reports"),
        BullModule.register_queue("image"),
        BullModule.register_flow_producer("nightly"),
    ],
    providers=[
        ReportWorker,
        ImageWorker,
        ImageListener,
        Ticker,
        provide("alias", use_existing=Ticker),
        provide("draft", use_factory=nothing_built, scope=Scope.TRANSIENT),
        provide("later", use_factory=nothing_built, lazy=True),
        provide("now", use_factory=nothing_built),
    ],
    exports=[Ticker],
)
class ReportModule: ...


@module(imports=[BullModule.for_root(), ReportModule])
class App: ...


@pytest.fixture
def found() -> list[ModuleOutline]:
    return outline(create_application(App).discovery)


def lines_below(name: str, drawn: list[str]) -> list[str]:
    """The details of a module in the tree."""
    start = next(number for number, line in enumerate(drawn) if line.endswith(f"─ {name}"))
    details = [re.sub(r"^[│ ]+", "", line) for line in drawn[start + 1 :] if "─" not in line]
    return [re.sub(r"  +", "  ", line) for line in details]


def test_the_tree_shows_what_each_module_has(found: list[ModuleOutline]) -> None:
    details = lines_below("ReportModule", list(tree(found)))
    listed = (
        "ReportWorker (request), ImageWorker, ImageListener, Ticker, 'alias' (alias), "
        "'draft' (factory, transient), 'later' (factory, lazy), 'now' (factory)"
    )
    assert details[:10] == [
        f"providers  {listed}",
        "exports  Ticker",
        "processor  ReportWorker processes report (daily, weekly) as worker report, concurrency 4, one for each job",
        "processor  ImageWorker processes image as worker image, concurrency 1, 2 processes",
        "listener  ImageListener hears image",
        f"schedule  Ticker.tick  @cron('{CronExpression.EVERY_10_SECONDS}')",
        "schedule  Ticker.tick  @cron('0 0 * * *'), distributed",
        "schedule  Ticker.poll  @interval(5000)",
        "schedule  Ticker.warm_up  @timeout(1000)",
        "exports  QueueModule(report)",
    ]
    assert "queue  report  (config_key reports)" in details
    assert "queue  image" in details
    assert "flows  nightly" in details


def test_the_diagram_has_modules_queues_workers_and_schedules(found: list[ModuleOutline]) -> None:
    drawn = list(mermaid(found))
    assert drawn[0] == "flowchart TD"
    names = {each.name: f"m{each.number}" for each in found}
    report = names["ReportModule"]
    assert f"  {names['App']} --> {report}" in drawn
    (queue,) = [line.split("[(")[0].strip() for line in drawn if '[("report")]' in line]
    assert f"  {names['QueueModule(report)']} --- {queue}" in drawn
    assert f'  {report} -. "ReportWorker processes" .-> {queue}' in drawn
    assert any(line.startswith(f'  {report} -. "ImageListener hears" .->') for line in drawn)
    assert f"""  s{report[1:]}_1(["Ticker.tick @cron('0 0 * * *'), distributed"]) --- {report}""" in drawn
    assert any("[[" in line and "BullModule" in line for line in drawn)


def test_labels_of_the_diagram_cannot_leave_their_quotes() -> None:
    odd: Token[int] = Token('a "quoted" <b>#1</b>', attr="odd")
    found = outline(create_application(module(providers=[provide(odd, use_value=1)])(type("App", (), {}))).discovery)
    assert list(mermaid(found))[1] == '  m0["App<br/>a #quot;quoted#quot; #lt;b#gt;#35;1#lt;/b#gt; (value)"]'


def test_the_service_s_own_tree_is_printed_without_redis(command: Command) -> None:
    ran = command("modules")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "AppModule"
    assert any("EmailWorker processes email as worker email" in line for line in lines)


def test_as_mermaid_and_as_json(command: Command) -> None:
    assert command("modules", "--mermaid").out.startswith("flowchart TD\n")
    printed = command("modules", "--json").json
    by_number = {each["number"]: each for each in printed["modules"]}
    root = by_number[printed["root"]]
    assert root["name"] == "AppModule"
    assert {"token": "EmailWorker", "kind": "class", "scope": "singleton", "lazy": False} in root["providers"]
    assert {"token": "MailSettings", "kind": "settings", "scope": "singleton", "lazy": False} in root["providers"]
    assert [(each["class"], each["queue"]) for each in root["processors"]] == [("EmailWorker", "email")]


def test_check_fails_where_something_is_wrong(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("modules", "--check").code == 0
    monkeypatch.setenv("ENABLED_WORKERS", "emial")
    ran = command("modules", "--check")
    assert ran.code == 2
    assert "ENABLED_WORKERS names the unknown worker emial" in ran.err
