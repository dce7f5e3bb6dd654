"""One more import, where isort and ruff would put it."""

import ast
import re
from collections.abc import Sequence

from bullworks.cli.editing.items import Items
from bullworks.cli.editing.source import Source, splice
from bullworks.cli.failure import CommandError


def with_import(source: Source, module: str, name: str) -> str:
    """The text with `from module import name` at its top; unchanged if it has it.

    The name joins an import of the same module, or a line of its own stands in order among those of its package.

    Raises:
        CommandError: the file has something else of that name.
    """
    imports = [node for node in source.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    froms = [node for node in imports if isinstance(node, ast.ImportFrom) and node.level == 0]
    same = [node for node in froms if node.module == module and node.names[0].name != "*"]
    if any(alias.name == name and alias.asname in {None, name} for node in same for alias in node.names):
        return source.text
    if name in bound_names(source):
        raise CommandError(
            f"{source.file} has another {name} already",
            "Choose another name, or import it by hand; nothing was written.",
        )
    if same:
        index = sum(name_order(alias.name) < name_order(name) for alias in same[0].names)
        return Items.of_import(source, same[0]).insert(index, name)
    return _with_line(source, imports, froms, module, f"from {module} import {name}")


def _with_line(
    source: Source,
    imports: Sequence[ast.Import | ast.ImportFrom],
    froms: Sequence[ast.ImportFrom],
    module: str,
    line: str,
) -> str:
    package = module.partition(".")[0]
    beside = [node for node in froms if (node.module or "").partition(".")[0] == package]
    later = [node for node in beside if _natural(node.module or "") > _natural(module)]
    if later:
        at = source.start(later[0])
        return splice(source.text, at, at, f"{line}\n")
    if beside:
        at = source.line_end(source.end(beside[-1]))
        return splice(source.text, at, at, f"\n{line}")
    docstring = source.tree.body[:1] if ast.get_docstring(source.tree) is not None else []
    if above := [*docstring, *imports]:
        at = source.line_end(source.end(above[-1]))
        return splice(source.text, at, at, f"\n\n{line}")
    return f"{line}\n\n{source.text}"


def bound_names(source: Source) -> set[str]:
    """The names that a file imports, defines or assigns at its top."""
    found: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def name_order(name: str) -> tuple[int, list[tuple[int, int]]]:
    """The key by which names of an import, and of `__all__`, are sorted: constants, classes, the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, _natural(name)


def _natural(name: str) -> list[tuple[int, int]]:
    """The key that puts `orders2` before `orders10`."""
    parts = re.findall(r"\d+|\D", name.lower())
    return [(ord("0"), int(part)) if part.isdigit() else (ord(part), 0) for part in parts]
