"""`main.py modules`: how the service is wired."""

from dataclasses import asdict
from typing import Annotated

import typer

from bullworks.cli.module_drawing import mermaid, tree
from bullworks.cli.module_outline import outline
from bullworks.cli.output import print_json, say
from bullworks.cli.program import Program


def modules(
    as_mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit with an error if the wiring is invalid.")] = False,
) -> None:
    """Show modules, providers, exports, queues, processors and schedules. Builds nothing and needs no Redis.

    Example: main.py modules --mermaid
    """
    application = Program.current().application()
    found = outline(application.discovery)
    if as_json:
        print_json({"root": found[-1].number, "modules": [asdict(module) for module in found]})
    else:
        for line in mermaid(found) if as_mermaid else tree(found):
            say(line)
    if check:
        application.container.check_dependencies()
