"""Reads the examples of a page and runs them, word for word."""

from __future__ import annotations

import ast
import itertools
import re
import sys
from dataclasses import dataclass
from inspect import CO_COROUTINE
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"(?:<!-- example: (?P<name>[a-z-]+) -->\n)?```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
URL_IN_EXAMPLES = "redis://127.0.0.1:6379"
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Example:
    """One ```python block. Its name is None where the page gives it none, which is a mistake."""

    page: str
    name: str | None
    code: str
    line: int


def examples_of(page: str) -> list[Example]:
    """All Python blocks of a page, in order."""
    text = (ROOT / page).read_text()
    return [
        Example(page, match["name"], match["code"], text[: match.start("code")].count("\n") + 1)
        for match in BLOCK.finditer(text)
    ]


def new_module(**names: Any) -> ModuleType:
    """A module for an example to run in, with these names there already.

    It is a real one, in sys.modules: the container reads annotations in the module of a class.
    """
    module = ModuleType(f"example_{next(_NUMBERS)}")
    vars(module).update(names)
    sys.modules[module.__name__] = module
    return module


async def run_example(example: Example, module: ModuleType, *, redis_url: str) -> None:
    """Run it word for word but for the URL in it; `await` at the top is allowed."""
    code = compiled(example, example.code.replace(URL_IN_EXAMPLES, redis_url))
    if code.co_flags & CO_COROUTINE:
        await FunctionType(code, vars(module))()
    else:
        exec(code, vars(module))


def execute(example: Example, module: ModuleType) -> None:
    """Run one that neither awaits nor connects, word for word."""
    exec(compiled(example, example.code), vars(module))


def compiled(example: Example, text: str) -> CodeType:
    """The code of an example; tracebacks point at the line of the page."""
    lines = "\n" * (example.line - 1) + text
    return compile(lines, str(ROOT / example.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
