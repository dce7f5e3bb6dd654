"""Renames: public names that are called otherwise from a version on, and the edit that a service needs for it."""

import ast
from dataclasses import dataclass

from bullworks.cli.editing import Source
from bullworks.cli.editing.source import splice


@dataclass(frozen=True, slots=True)
class Rename:
    """A name of Bullworks that a version has renamed.

    Args:
        since: the first version with the new name.
        module: the package that it is imported from, as in `bullworks.workers`.
        old: the name until then.
        new: the name since; of the same module.
    """

    since: str
    module: str
    old: str
    new: str


RENAMES: tuple[Rename, ...] = ()
"""All renames, the oldest first. A release that renames something adds a row, and says so in the changelog."""


def renamed(source: Source, rename: Rename) -> str:
    """The text with the new name where the old one was imported from its module, and where it was used.

    If the file has the old name for something else, too, or exports it, then the new one is imported as the old one.
    """
    imported = [
        alias
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.module == rename.module and node.level == 0
        for alias in node.names
        if alias.name == rename.old
    ]
    uses: list[ast.Name] = []
    new_import = rename.new
    if any(alias.asname is None for alias in imported):
        if _has_other_meaning(source, rename.old, imported):
            new_import = f"{rename.new} as {rename.old}"
        else:
            uses = [node for node in ast.walk(source.tree) if isinstance(node, ast.Name) and node.id == rename.old]
    edits = {source.start(alias): new_import if alias.asname is None else rename.new for alias in imported}
    edits |= {source.start(use): rename.new for use in uses}
    text = source.text
    for start in sorted(edits, reverse=True):
        text = splice(text, start, start + len(rename.old), edits[start])
    return text


def _has_other_meaning(source: Source, name: str, imported: list[ast.alias]) -> bool:
    """Whether something else in the file is bound to the name, or a string has it, as in `__all__`."""
    return any(_meaning(node) == name for node in ast.walk(source.tree) if node not in imported)


def _meaning(node: ast.AST) -> object:
    """The name that a node binds, or the string that it is."""
    if isinstance(node, ast.Name):
        return None if isinstance(node.ctx, ast.Load) else node.id
    if isinstance(node, ast.alias):
        return node.asname or node.name
    if isinstance(node, ast.Constant):
        return node.value
    # A parameter, a class, a function, an exception that is caught, a capture of `match`.
    return getattr(node, "arg", getattr(node, "name", None))
