"""Each idea has one home: what would be the beginning of a second one is named, with where it belongs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "bullworks/cli/scaffold/template"
FILES = sorted(path for path in (ROOT / "bullworks").rglob("*.py") if not path.is_relative_to(TEMPLATE))

# What only BullMQ's layout calls so. Words that Bull Board's page or npm's API have too are not among them.
WIRE_NAMES = {
    "atm", "ats", "stc", "pb", "defa", "deid", "rjk", "kl", "omc", "fpof", "cpof", "idof", "rdof", "queueKey",
    "opts.maxLenEvents",
}  # fmt: skip
KEY_ENDING = re.compile(r":(logs|lock|dependencies|processed|failed|unsuccessful|meta|wait|active|events|repeat)\b")

IDIOMS = {
    r"get_close_matches": ("bullworks/suggestion.py", "suggestion(name, known)"),
    r"random\.random\(\) / 2|random\.uniform": ("bullworks/redis/pace.py", "Pace or retry_pause_s()"),
    r"\bb64decode\(": ("bullworks/web/credentials.py", "basic_credentials() or bearer_token()"),
    r"\.cancel\(\)\n\s+await asyncio\.gather\(": ("bullworks/tasks.py", "cancel_and_wait() or wait_or_cancel()"),
    r"raise InvalidOptionError\([^\n]*must be (a whole number|True or False)": (
        "bullworks/bullmq/options/checks.py",
        "checks.whole() or checks.flag()",
    ),
    r"\"CLIENT\", \"LIST\"": ("bullworks/bullmq/scripts/queue.py", "scripts.client_list()"),
}


def home(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


def constants(path: Path) -> Iterator[tuple[int, str]]:
    """The strings and bytes of a file, with their lines, but for docstrings."""
    lone = {id(node.value) for node in nodes(path) if isinstance(node, ast.Expr)}
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in lone:
            yield node.lineno, node.value if isinstance(node.value, str) else node.value.decode("latin-1")


@pytest.mark.parametrize("idiom", IDIOMS)
def test_an_idea_has_one_home(idiom: str) -> None:
    where, instead = IDIOMS[idiom]
    elsewhere = [home(path) for path in FILES if home(path) != where and re.search(idiom, path.read_text())]
    assert elsewhere == [], f"use {instead} of {where}"


def test_wire_names_stand_in_the_wire_only() -> None:
    found = [
        f"{home(path)}:{line}: {text}"
        for path in FILES
        if "bullmq/wire" not in home(path)
        for line, text in constants(path)
        if text in WIRE_NAMES
    ]
    assert found == [], "give it a name in bullworks/bullmq/wire/ and use that"


def test_keys_are_spelled_in_keys_files_only() -> None:
    found = [
        f"{home(path)}:{line}: {text}"
        for path in FILES
        if path.name != "keys.py"
        for line, text in constants(path)
        if KEY_ENDING.search(text)
    ]
    assert found == [], "add a method to the keys.py of the package"


def test_errors_are_dataclasses() -> None:
    """Their fields are their facts; see bullworks/errors.py."""
    written = [
        f"{home(path)}:{node.lineno}: {node.name}"
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
        for part in node.body
        if isinstance(part, ast.FunctionDef) and part.name == "__init__"
    ]
    # RefusedError of the board takes whatever else the answer holds.
    others = [each for each in written if not each.endswith(": RefusedError")]
    assert others == [], "write @dataclass(eq=False) and fields"


# Keys of their own, which no other layer knows; the board's audit trail, and a PING.
OWN_COMMANDS = (
    "bullworks/board/audit.py",
    "bullworks/health/readiness.py",
    "bullworks/schedule/journal/",
    "bullworks/workers/history/",
    "bullworks/workers/presence/",
)
ENGINE = ("bullworks/bullmq/", "bullworks/locks/", "bullworks/redis/")


def test_only_the_engine_and_the_locks_speak_redis() -> None:
    found = [
        f"{home(path)}:{node.lineno}: {node.args[0].value}"
        for path in FILES
        if not home(path).startswith((*ENGINE, *OWN_COMMANDS))
        for node in nodes(path)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if isinstance(node.func, ast.Attribute | ast.Name) and isinstance(node.args[0].value, str)
        if (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id) in {"execute", "send"}
        if node.args[0].value.isupper()
    ]
    assert found == [], "ask the engine for a typed answer: add a method to bullworks/bullmq/scripts/glance.py"
