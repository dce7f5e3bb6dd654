"""One more entry in the lists of a module: `imports`, `providers` and `exports` of `@module` or `dynamic_module`."""

import ast
from typing import Literal

from bullworks.cli.editing.items import Items
from bullworks.cli.editing.source import Source
from bullworks.cli.failure import CommandError

ListName = Literal["imports", "providers", "exports"]

_MODULE_CALLS = frozenset({"module", "dynamic_module"})
_REGISTER_QUEUE = "register_queue"


def with_entry(source: Source, module: str, list_name: ListName, entry: str) -> str:
    """The text with an entry at the end of one of a module's lists, which is begun if there is none.

    Args:
        module: the name of the module's class.
        entry: as it is to be written there.

    Raises:
        CommandError: the file has no such module, or its list is not written out there.
    """
    call = _module_call(source, module, entry)
    found = _list(source, call, module, list_name, entry)
    if found is None:
        arguments = Items.of_call(source, call)
        return arguments.insert(len(arguments.spans), f"{list_name}=[{entry}]")
    items = Items.of_list(source, found)
    return source.text if entry in items.texts else items.insert(len(items.spans), entry)


def with_queue(source: Source, module: str, queue: str) -> str:
    """The text with a queue among those that a module registers; unchanged if it is. Raises as `with_entry` does."""
    entry = f'BullModule.{_REGISTER_QUEUE}("{queue}")'
    found = _list(source, _module_call(source, module, entry), module, "imports", entry)
    calls = [
        node
        for node in (found.elts if found else [])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == _REGISTER_QUEUE
    ]
    names = {arg.value for call in calls for arg in call.args if isinstance(arg, ast.Constant)}
    if queue in names:
        return source.text
    for call in calls:
        # Options would be the new queue's, too.
        if call.args and not call.keywords and all(isinstance(arg, ast.Constant) for arg in call.args):
            items = Items.of_call(source, call)
            return items.insert(len(items.spans), f'"{queue}"')
    return with_entry(source, module, "imports", entry)


def _module_call(source: Source, module: str, entry: str) -> ast.Call:
    """The call that makes the module: in its class, as a decorator or in a method; or the only one of the file."""
    calls = _calls(source.tree)
    classes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef) and node.name == module]
    for candidates in (*(_calls(node) for node in classes), calls):
        if len(candidates) == 1:
            return candidates[0]
    raise CommandError(
        f"{source.file} has no @module(...) or dynamic_module(...) of {module}, or several",
        _by_hand(entry),
    )


def _calls(tree: ast.AST) -> list[ast.Call]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [node for node in found if _name(node.func) in _MODULE_CALLS]


def _name(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]


def _list(source: Source, call: ast.Call, module: str, list_name: ListName, entry: str) -> ast.List | None:
    for keyword in call.keywords:
        if keyword.arg == list_name:
            if isinstance(keyword.value, ast.List):
                return keyword.value
            raise CommandError(
                f"{source.file}:{keyword.value.lineno}: `{list_name}` of {module} is not a list written out there",
                _by_hand(entry),
            )
        if keyword.arg is None:
            raise CommandError(
                f"{source.file}:{keyword.value.lineno}: the lists of {module} come from a ** argument", _by_hand(entry)
            )
    return None


def _by_hand(entry: str) -> str:
    return f"Write the list out, or register {entry} by hand; nothing was written."
