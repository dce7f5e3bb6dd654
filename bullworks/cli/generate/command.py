"""`generate`, or `g`: one more part of a service, with its test."""

from typing import Annotated

import typer

from bullworks.cli.failure import CommandError
from bullworks.cli.generate.generator import Generator
from bullworks.cli.generate.name import Name
from bullworks.cli.generate.service_folder import ServiceFolder
from bullworks.cli.output import say
from bullworks.cli.program import Program
from bullworks.cron_expression import CronExpressionError, CronSchedule

_EVERY_HOUR = "0 * * * *"

_NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="In any spelling: order_items, order-items, OrderItems.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the changes as a diff, and write nothing.")]

generate_app = typer.Typer(
    help="Write a part of a service and its test, and register it. Nothing that exists is overwritten.",
    epilog="Example: bullworks generate module orders, then bullworks generate worker orders. Short: bullworks g.",
    no_args_is_help=True,
)


@generate_app.command()
def module(name: _NameArgument, dry_run: _DryRun = False) -> None:
    """Generate a feature: a module with a service, in the imports of the root module.

    Example: bullworks generate module orders
    """
    generator = _generator()
    _finish(generator, generator.module(Name.parse(name, "module")), dry_run)


@generate_app.command()
def worker(name: _NameArgument, dry_run: _DryRun = False) -> None:
    """Generate a queue and its worker, in WorkersModule; it uses the service of the feature of that name, if any.

    Example: bullworks generate worker orders
    """
    generator = _generator()
    _finish(generator, generator.worker(Name.parse(name, "worker")), dry_run)


@generate_app.command()
def cron(
    name: _NameArgument,
    schedule: Annotated[
        str, typer.Option(metavar="EXPRESSION", help='When it runs, as in "30 3 * * 1-5" or "*/10 * * * * *".')
    ] = _EVERY_HOUR,
    dry_run: _DryRun = False,
) -> None:
    """Generate a cron that one process of the fleet runs each time, in WorkersModule.

    Example: bullworks generate cron nightly-report --schedule "30 3 * * *"
    """
    try:
        CronSchedule.parse(schedule)
    except CronExpressionError as error:
        raise CommandError(str(error)) from error
    generator = _generator()
    _finish(generator, generator.cron(Name.parse(name, "cron"), schedule), dry_run)


@generate_app.command()
def service(
    name: _NameArgument,
    module: Annotated[
        str | None, typer.Option(metavar="MODULE", help="The module that provides it; default: the one of that name.")
    ] = None,
    dry_run: _DryRun = False,
) -> None:
    """Generate one more service of a module, which provides and exports it.

    Example: bullworks generate service pricing --module orders
    """
    generator = _generator()
    _finish(generator, generator.provider(Name.parse(name, "service"), module), dry_run)


@generate_app.command()
def interceptor(name: _NameArgument, dry_run: _DryRun = False) -> None:
    """Generate an interceptor around the jobs of all queues, in WorkersModule.

    Example: bullworks generate interceptor timing
    """
    generator = _generator()
    _finish(generator, generator.interceptor(Name.parse(name, "interceptor")), dry_run)


def _generator() -> Generator:
    return Generator(ServiceFolder.find(Program.current().app))


def _finish(generator: Generator, test: str, dry_run: bool) -> None:
    if dry_run:
        print(generator.changes.diff(), end="")
        return
    generator.changes.write()
    for file, change in generator.changes.files.items():
        say(f"{change:<6}  {file}")
    print(f"\nIts test: python -m pytest {test}")
