"""Facades: public names that are imported when they are first used."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import bullworks

ROOT = Path(bullworks.__file__).parent
FACADES = sorted(path.parent for path in ROOT.rglob("__init__.pyi"))


def module_of(folder: Path) -> ModuleType:
    return import_module(".".join(folder.relative_to(ROOT.parent).parts))


@pytest.mark.parametrize("folder", FACADES, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_each_name_that_type_checkers_see_is_there(folder: Path) -> None:
    package = module_of(folder)
    stub = ast.parse((folder / "__init__.pyi").read_text())
    (listed,) = (ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign))
    assert sorted(package.__all__) == listed
    assert set(listed) <= set(dir(package))
    for name in listed:
        assert getattr(package, name) is vars(package)[name]
    hidden = {name for name in listed if (folder / name).is_dir() or (folder / f"{name}.py").is_file()}
    assert hidden == set(), "a module of that name would take the name's place: rename one of them"


def test_a_name_that_is_not_there_is_an_error_as_of_any_module() -> None:
    package = import_module("bullworks.bullmq")
    with pytest.raises(AttributeError, match=r"module 'bullworks\.bullmq' has no attribute 'Qeue'"):
        _ = package.Qeue
    assert not hasattr(package, "__wrapped__")
