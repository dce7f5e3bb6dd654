"""What commands print: text for people, JSON for programs. Nothing from a queue reaches the terminal unescaped."""

import json
from collections.abc import Sequence
from typing import Any

from bullworks.escaping import escape


def say(text: str) -> None:
    """Print one line."""
    print(escape(text))


def print_json(value: Any) -> None:
    """Print a JSON document in ASCII, so that no byte of a payload can control the terminal."""
    print(json.dumps(value, indent=2, default=str))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table with columns as wide as needed, numbers to the right; the same in a pipe."""
    lines = [[escape(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    right = [bool(rows) and all(isinstance(row[column], int) for row in rows) for column in range(len(header))]
    for line in lines:
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ]
        print("  ".join(cells).rstrip())
