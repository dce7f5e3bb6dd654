"""The command line: `python main.py ...`, and `bullworks ...` in a project's folder."""

from bullworks.extras import require

require("cli", "the command line")

from bullworks.cli.application import main
from bullworks.cli.failure import EXIT_FAILED, CommandError
from bullworks.cli.output import print_json, print_table, say
from bullworks.cli.program import DEFAULT_APP, Program
from bullworks.cli.running import run

__all__ = [
    "DEFAULT_APP",
    "EXIT_FAILED",
    "CommandError",
    "Program",
    "main",
    "print_json",
    "print_table",
    "run",
    "say",
]
