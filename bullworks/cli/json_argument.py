"""JSON that is given on the command line."""

import json
import sys
from typing import Any

import typer


def json_argument(text: str) -> Any:
    """Decode an argument; "-" reads it from standard input. Raises typer.BadParameter: it is not JSON."""
    try:
        return json.loads(sys.stdin.read() if text == "-" else text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise typer.BadParameter(f"the data is not JSON: {error.msg} at {where}") from error
