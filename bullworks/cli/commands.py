"""What a command of a service needs: the program it belongs to, running a coroutine, printing, failing in words."""

from bullworks.cli.failure import EXIT_FAILED, CommandError
from bullworks.cli.output import print_json, print_table, say
from bullworks.cli.program import Program
from bullworks.cli.running import run

__all__ = ["EXIT_FAILED", "CommandError", "Program", "print_json", "print_table", "run", "say"]
