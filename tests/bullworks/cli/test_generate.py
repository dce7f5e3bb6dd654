"""`generate`: what it writes and registers, and what it refuses before it has written anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bullworks.cli.generate.name import Name
from bullworks.cli.scaffold import Project, write_project
from tests.bullworks.cli.conftest import Command

ROOT_MODULE, WORKERS_MODULE = "app/app_module.py", "app/workers/workers_module.py"


@pytest.fixture
def service() -> str:
    """A root module by its name: `generate` imports nothing of the service."""
    return "app.app_module:AppModule"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, in whose folder commands run."""
    folder = tmp_path / "shop"
    write_project(Project(name="shop"), folder)
    monkeypatch.chdir(folder)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "new", "edited"),
    [
        (
            ("module", "orders"),
            {
                "app/modules/orders/__init__.py": '__all__ = ["OrdersModule", "OrdersService"]',
                "app/modules/orders/module.py": "    exports=[OrdersService],",
                "app/modules/orders/service.py": "class OrdersService:",
                "tests/test_orders.py": "from app.modules.orders import OrdersService",
            },
            {ROOT_MODULE: ["from app.modules.orders import OrdersModule", "        OrdersModule,"]},
        ),
        (
            ("worker", "OrderItemsWorker"),
            {
                "app/workers/order_items_worker.py": '@processor("order-items", concurrency=10)',
                "tests/test_order_items_worker.py": '    return QueueHarness("order-items")',
            },
            {
                WORKERS_MODULE: [
                    "from app.workers.order_items_worker import OrderItemsWorker",
                    '                BullModule.register_queue("greetings", "order-items"),',
                    "            providers=[GreetingsWorker, OrderItemsWorker],",
                ]
            },
        ),
        (
            ("cron", "nightly-report", "--schedule", "30 3 * * *"),
            {
                "app/workers/nightly_report_cron.py": (
                    '    @cron("30 3 * * *", name="nightly-report", distributed=True)'
                ),
                "tests/test_nightly_report_cron.py": "        await service.get(NightlyReportCron).run()",
            },
            {
                WORKERS_MODULE: [
                    "from app.workers.nightly_report_cron import NightlyReportCron",
                    "            providers=[GreetingsWorker, NightlyReportCron],",
                ]
            },
        ),
        (
            ("service", "wishes", "--module", "greeting"),
            {
                "app/modules/greetings/wishes_service.py": "class WishesService:",
                "tests/test_wishes_service.py": "from app.modules.greetings.wishes_service import WishesService",
            },
            {
                "app/modules/greetings/module.py": [
                    "from app.modules.greetings.wishes_service import WishesService",
                    "    providers=[GreetingService, GreetingSettings, WishesService],",
                    "    exports=[GreetingService, WishesService],",
                ],
                "app/modules/greetings/__init__.py": [
                    "from app.modules.greetings.wishes_service import WishesService",
                    '__all__ = ["GreetingService", "GreetingSettings", "GreetingsModule", "WishesService"]',
                ],
            },
        ),
        (
            ("interceptor", "timing"),
            {
                "app/workers/timing_interceptor.py": "class TimingInterceptor:",
                "tests/test_timing_interceptor.py": '@processor("intercepted")',
            },
            {
                WORKERS_MODULE: [
                    "from bullworks.core import ModuleContainer, dynamic_module, provide",
                    "from bullworks.workers import APP_INTERCEPTOR, BullModule, BullOptions",
                    "from app.workers.timing_interceptor import TimingInterceptor",
                    "            providers=[GreetingsWorker, provide(APP_INTERCEPTOR, use_class=TimingInterceptor)],",
                ]
            },
        ),
    ],
)
def test_a_part_is_written_with_a_test_and_registered_and_nothing_else_changes(
    command: Command,
    project: Path,
    arguments: tuple[str, ...],
    new: dict[str, str],
    edited: dict[str, list[str]],
) -> None:
    before = contents(project)
    ran = command("generate", *arguments)
    assert (ran.code, ran.err) == (0, "")
    after = contents(project)
    assert after.keys() - before.keys() == new.keys()
    for file, line in new.items():
        assert line in after[file].splitlines(), after[file]
    assert {file for file in before if before[file] != after[file]} == edited.keys()
    for file, lines in edited.items():
        had = before[file].splitlines()
        assert [line for line in after[file].splitlines() if line not in had] == lines
    test = next(file for file in new if file.startswith("tests/"))
    assert ran.out.endswith(f"\nIts test: python -m pytest {test}\n")


def test_a_worker_uses_the_service_of_the_module_of_its_name(command: Command, project: Path) -> None:
    command("generate", "module", "orders")
    assert command("g", "worker", "order").code == 0
    assert (
        "    def __init__(self, orders: OrdersService) -> None:"
        in (project / "app/workers/order_worker.py").read_text()
    )
    registered = (project / WORKERS_MODULE).read_text()
    assert "from app.modules.orders import OrdersModule\n" in registered
    assert "                GreetingsModule,\n                OrdersModule,\n            ],\n" in registered


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("module", "1st"), "'1st' cannot be the name of a module. A name begins with a letter"),
        (("worker", "läden"), "'läden' cannot be the name of a worker."),
        (("module", "a/b"), "'a/b' cannot be the name of a module."),
        (("cron", "a" * 41), "the name of the cron has 41 characters. Choose one of up to 40."),
        (("module", "Class"), "'class' is a word of Python, and cannot be imported. Choose another name."),
        (("module", "greetings"), "app/modules/greetings/__init__.py exists. Choose another name, or remove it first"),
        (("module", "greeting"), "there is the module 'greetings', of which 'greeting' is the singular or the plural."),
        (("module", "history"), "app/app_module.py has another HistoryModule already. Choose another name, or import"),
        (
            ("service", "greeting", "--module", "greetings"),
            "app/modules/greetings/module.py has another GreetingService already.",
        ),
        (("service", "greetings"), "app/modules/greetings/service.py exists."),
        (("service", "prices"), "PricesService belongs to no module. Name its module with --module (greetings), or"),
        (("service", "prices", "--module", "greatings"), "there is no module 'greatings'. Did you mean 'greetings'?"),
        (("cron", "report", "--schedule", "daily"), "cron expression 'daily'"),
    ],
)
def test_what_cannot_be_generated_is_refused(
    command: Command, project: Path, arguments: tuple[str, ...], error: str
) -> None:
    before = contents(project)
    ran = command("generate", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: {error}")
    assert contents(project) == before


def test_a_workers_module_of_another_shape_gets_the_queue_with_its_import(command: Command, project: Path) -> None:
    (project / WORKERS_MODULE).write_text("from bullworks.core import module\n\n\n@module()\nclass Jobs: ...\n")
    assert command("generate", "worker", "orders").code == 0
    assert (project / WORKERS_MODULE).read_text() == (
        "from bullworks.core import module\nfrom bullworks.workers import BullModule\n\n"
        "from app.workers.orders_worker import OrdersWorker\n\n\n"
        '@module(providers=[OrdersWorker], imports=[BullModule.register_queue("orders")])\nclass Jobs: ...\n'
    )


@pytest.mark.parametrize("kind", ["module", "worker", "cron", "interceptor"])
def test_a_second_time_is_refused(command: Command, project: Path, kind: str) -> None:
    assert command("generate", kind, "orders").code == 0
    before = contents(project)
    ran = command("generate", kind, "orders")
    assert ran.code == 1
    assert "exists. Choose another name, or remove it first; nothing was written." in ran.err
    assert contents(project) == before


def test_a_dry_run_shows_a_diff_that_git_can_apply_and_writes_nothing(command: Command, project: Path) -> None:
    before = contents(project)
    ran = command("generate", "worker", "orders", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert contents(project) == before
    subprocess.run(["git", "apply"], cwd=project, input=ran.out, text=True, check=True, timeout=30)
    applied = contents(project)
    for file in applied.keys() - before.keys():
        (project / file).unlink()
    (project / WORKERS_MODULE).write_text(before[WORKERS_MODULE])
    command("generate", "worker", "orders")
    assert contents(project) == applied


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("imports=[", "imports=PARTS + [", ":14: `imports` of AppModule is not a list written out there. Write the"),
        (
            "imports=[",
            "**PARTS, imports=[",
            ":14: the lists of AppModule come from a ** argument. Write the list out, or",
        ),
        ("@module(", "@part(", " has no @module(...) or dynamic_module(...) of AppModule, or several. Write the list"),
        ("class AppModule:", "class AppModule", ":23: expected ':'. Mend it first."),
    ],
)
def test_a_module_that_cannot_be_edited_is_named_with_its_line(
    command: Command, project: Path, old: str, new: str, error: str
) -> None:
    (project / ROOT_MODULE).write_text((project / ROOT_MODULE).read_text().replace(old, new))
    before = contents(project)
    ran = command("generate", "module", "orders")
    assert ran.code == 1
    assert ran.err.startswith(f"error: {ROOT_MODULE}{error}")
    assert contents(project) == before


def test_without_a_workers_module_there_is_nowhere_to_register(command: Command, project: Path) -> None:
    (project / WORKERS_MODULE).unlink()
    ran = command("generate", "cron", "report")
    assert ran.err.startswith(f"error: there is no {WORKERS_MODULE}. What is generated is registered there;")


def test_outside_a_project_it_says_where_to_go(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = command("generate", "module", "orders")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith(
        " is not a project: it has no app/app_module.py. Go to the folder of one, or begin one with `bullworks new`.\n"
    )


def test_the_help_teaches_with_examples(command: Command) -> None:
    shown = command("generate", "--help").out
    assert "Example: bullworks generate module orders, then bullworks generate worker orders." in shown
    for kind in ("module", "worker", "cron", "service", "interceptor"):
        assert f"Example: bullworks generate {kind} " in command("g", kind, "--help").out


@pytest.mark.parametrize(
    ("typed", "snake", "camel", "kebab"),
    [
        ("orders", "orders", "Orders", "orders"),
        ("OrderItems", "order_items", "OrderItems", "order-items"),
        ("orderItems", "order_items", "OrderItems", "order-items"),
        ("order-items", "order_items", "OrderItems", "order-items"),
        ("HTTPClients2", "http_clients2", "HttpClients2", "http-clients2"),
        ("OrdersWorker", "orders", "Orders", "orders"),
        ("worker", "worker", "Worker", "worker"),
    ],
)
def test_a_name_is_the_same_in_every_spelling(typed: str, snake: str, camel: str, kebab: str) -> None:
    name = Name.parse(typed, "worker")
    assert (name.snake, name.camel, name.kebab) == (snake, camel, kebab)


@pytest.mark.parametrize(
    ("one", "many"), [("order", "orders"), ("company", "companies"), ("box", "boxes"), ("address", "addresses")]
)
def test_singular_and_plural_are_told_from_other_names(one: str, many: str) -> None:
    singular, plural = Name((one,)), Name((many,))
    assert singular.differs_in_number_only(many)
    assert plural.differs_in_number_only(one)
    assert not singular.differs_in_number_only(one)
    assert not Name(("status",)).differs_in_number_only("state")
