"""Which tokens a module sees: its own, what its imports export, and what global modules export."""

from collections.abc import Iterator, Sequence

from bullworks.core.node import Entry, ModuleNode
from bullworks.core.problems import DuplicateExport, UnknownExport
from bullworks.core.tokens import AnyToken, label


def visible_entries(node: ModuleNode, global_nodes: Sequence[ModuleNode]) -> dict[AnyToken, Entry]:
    """List the entries visible to a module: its own before imports, earlier imports before later ones."""
    visible = dict(node.entries)
    for imported in (*node.imports, *global_nodes):
        for token, entry in exported_entries(imported).items():
            visible.setdefault(token, entry)
    return visible


def exported_entries(node: ModuleNode) -> dict[AnyToken, Entry]:
    """List the entries that a module exports, re-exports included."""
    return _collect_exports(node, frozenset())


def unknown_exports(node: ModuleNode) -> Iterator[UnknownExport]:
    """List the exports that no provider or import backs."""
    for export in node.exports:
        if not isinstance(export, ModuleNode) and _export(node, export, frozenset({node})) is None:
            yield UnknownExport(label(export), node.spec.name)


def duplicate_exports(node: ModuleNode) -> Iterator[DuplicateExport]:
    """List the tokens that two imports of a module export, each with its own provider."""
    first: dict[AnyToken, tuple[ModuleNode, Entry]] = {}
    for imported in node.imports:
        for token, entry in exported_entries(imported).items():
            used, its_entry = first.setdefault(token, (imported, entry))
            if its_entry is not entry and token not in node.entries:
                yield DuplicateExport(label(token), node.spec.name, used.spec.name, imported.spec.name)


def _collect_exports(node: ModuleNode, asking: frozenset[ModuleNode]) -> dict[AnyToken, Entry]:
    """`asking` are the modules on the way here: those that re-export each other add nothing twice."""
    if node in asking:
        return {}
    asking |= {node}
    exported: dict[AnyToken, Entry] = {}
    for export in node.exports:
        if isinstance(export, ModuleNode):
            for token, entry in _collect_exports(export, asking).items():
                exported.setdefault(token, entry)
        else:
            found = _export(node, export, asking)
            if found is not None:
                exported.setdefault(export, found)
    return exported


def _export(node: ModuleNode, token: AnyToken, asking: frozenset[ModuleNode]) -> Entry | None:
    if token in node.entries:
        return node.entries[token]
    for imported in node.imports:
        found = _collect_exports(imported, asking).get(token)
        if found is not None:
            return found
    return None
