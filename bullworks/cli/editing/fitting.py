"""Keeps lines that an edit made longer within the project's line length."""

import ast
from collections.abc import Iterator

from bullworks.cli.editing.items import Items
from bullworks.cli.editing.source import Source


def fitted(source: Source, before: str, line_length: int) -> str:
    """The text with the brackets of new lines that are too long spread over several, the outer ones first.

    Args:
        before: the text before the edit: its lines stay, however long they are.
        line_length: characters.
    """
    known = set(before.splitlines())
    while (items := _first_too_long(source, known, line_length)) is not None:
        source = Source(source.file, items.spread())
    return source.text


def _first_too_long(source: Source, known: set[str], line_length: int) -> Items | None:
    lines = enumerate(source.text.splitlines(), 1)
    too_long = {number for number, line in lines if len(line) > line_length and line not in known}
    return min(_on_lines(source, too_long), key=lambda items: items.opening, default=None)


def _on_lines(source: Source, lines: set[int]) -> Iterator[Items]:
    """All that can be spread on some lines."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.List | ast.Call | ast.ImportFrom) or node.end_lineno not in lines:
            continue
        if isinstance(node, ast.List):
            items = Items.of_list(source, node)
        elif isinstance(node, ast.Call):
            items = Items.of_call(source, node)
        else:
            items = Items.of_import(source, node)
        if items.spans and items.is_on_one_line and not _is_of_a_generator(node):
            yield items


def _is_of_a_generator(node: ast.AST) -> bool:
    """Whether a comma behind the only argument would be an error."""
    return isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp)
