"""A package's public names, each imported when it is first used: a program starts with what it needs, and no more."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from bullworks.elsewhere import missing_name


def lazy_names(package: str, init: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Build the `__getattr__` and `__dir__` of a package whose names are listed in the `__init__.pyi` beside it.

    That file is the facade as type checkers and editors read it: `from MODULE import NAME` of modules below, and
    `__all__`. No name may be that of a file or folder of the package: importing one would hide the name behind it.

    Args:
        package: its `__name__`.
        init: its `__file__`.
    """

    @cache
    def homes() -> dict[str, str]:
        """The module of each name."""
        import ast  # not where no name is asked for, as in a process of a pool
        from pathlib import Path

        stub = ast.parse(Path(init).with_suffix(".pyi").read_text(encoding="utf-8"))
        imports = [node for node in stub.body if isinstance(node, ast.ImportFrom) and node.module != "__future__"]
        return {alias.name: str(node.module) for node in imports for alias in node.names}

    def get(name: str) -> Any:
        if name == "__all__":
            return list(homes())
        home = None if name.startswith("__") else homes().get(name)
        if home is None:
            raise missing_name(package, name)
        value = getattr(import_module(home), name)
        setattr(import_module(package), name, value)  # the next access finds it without us
        return value

    def list_names() -> list[str]:
        return sorted({*vars(import_module(package)), *homes()})

    return get, list_names
