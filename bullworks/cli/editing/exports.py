"""One more name in `__all__`."""

import ast

from bullworks.cli.editing.imports import name_order
from bullworks.cli.editing.items import Items
from bullworks.cli.editing.source import Source


def with_exported(source: Source, name: str) -> str:
    """The text with a name in the list `__all__`, in order; unchanged if there is no such list, or it has the name."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
            if [ast.unparse(target) for target in node.targets] != ["__all__"]:
                continue
            names = [str(ast.literal_eval(each)) for each in node.value.elts if isinstance(each, ast.Constant)]
            if name not in names:
                index = sum(name_order(each) < name_order(name) for each in names)
                return Items.of_list(source, node.value).insert(index, f'"{name}"')
    return source.text
