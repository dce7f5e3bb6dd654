"""A docstring's first line is read alone, in a tooltip: it has a subject of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for top in ("app", "bullworks") for path in (ROOT / top).rglob("*.py"))
LEAST_WORDS = 3


class Fault(NamedTuple):
    """An opening that leans on the code around it, and what to write instead."""

    opening: re.Pattern[str]
    remedy: str


FAULTS = [
    Fault(re.compile(r"The same\b|Likewise\b|Also\b"), "say again what it is: a tooltip does not show the neighbour"),
    Fault(re.compile(r"As\b"), 'say what it does, then refer: "Add one job, blocking; see Queue.add"'),
    Fault(
        re.compile(r"(None|True|False|Yes|No|Empty)( where| if|:|,)"),
        'begin with the result: "The rate limit, or None if none is set"',
    ),
    Fault(
        re.compile(r".*\b(None|True|False|-1|0): "),
        'write "None if ..." or "None means ...", not "None: ..."',
    ),
    Fault(
        re.compile(r"(Of|For|So|With|By|From|To|At|Until|Besides|Instead|Like|Because|Since|And|Or|But|Then)\b"),
        "begin with a noun or a verb",
    ),
    Fault(
        re.compile(r"(What|Who|Whom|Whose|Where|Which|In which|With which)\b"),
        'name the thing: "The queue\'s settings", or the action: "Read the queue\'s settings"',
    ),
    Fault(
        re.compile(r"(It|Its|They|Them|Their|These|Those|This|That|(All|One|Some|Most) of (them|these|those))\b"),
        "name what the pronoun stands for",
    ),
    Fault(re.compile(r"\w+ (it|them|these|those|him)\b"), 'name the object: "Remove the job", not "Remove it"'),
    Fault(re.compile(r"(See|Raises)\b"), "say what it does first, and then what it raises, or where to read on"),
]


def public_docstrings(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Line, qualified name and first line of each docstring of a public class, function or method."""
    pending: list[tuple[str, ast.AST]] = [("", tree)]
    while pending:
        prefix, parent = pending.pop()
        for node in ast.iter_child_nodes(parent):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.body[0].lineno, prefix + node.name, docstring.splitlines()[0]
            if isinstance(node, ast.ClassDef):
                pending.append((f"{prefix}{node.name}.", node))


def remedy_of(first_line: str) -> str | None:
    """What to do about a first line; None if it stands alone."""
    for fault in FAULTS:
        if fault.opening.match(first_line):
            return fault.remedy
    if not re.search(r"[.:!?`]$", first_line):
        return "end the sentence on the first line, and explain below it"
    return "say more than that" if len(first_line.split()) < LEAST_WORDS else None


def test_the_first_line_of_each_public_docstring_stands_alone() -> None:
    faults = []
    for path in SOURCES:
        for line, name, first in public_docstrings(ast.parse(path.read_text())):
            remedy = remedy_of(first)
            if remedy is not None:
                faults.append(f'{path.relative_to(ROOT)}:{line}: {name}: """{first}""": {remedy}')
    assert not faults, "mend these docstrings, which a tooltip shows alone:\n" + "\n".join(faults)


@pytest.mark.parametrize(
    "first_line",
    [
        "The same, checked; milliseconds.",
        "As Queue.add.",
        "None: it is not one.",
        "What was set so; None: nothing.",
        "The job; None: there is none of that id.",
        "Of each step; of an error only what it means.",
        "Those that somebody may read.",
        "Remove it with its log.",
        "Raises BadUrlError unless it is one.",
        "GET.",
        "Makes the hosts of one processor, and",
    ],
)
def test_a_first_line_that_leans_on_its_neighbour_is_found(first_line: str) -> None:
    assert remedy_of(first_line) is not None


@pytest.mark.parametrize(
    "first_line",
    [
        "Worker options after validation; durations in ms.",
        "The queue's global rate limit, or None if none is set.",
        "Whether the job has completed and was not removed.",
        "When the job was created, ms since the epoch.",
        "Remove the job with its log.",
    ],
)
def test_a_first_line_that_stands_alone_passes(first_line: str) -> None:
    assert remedy_of(first_line) is None
