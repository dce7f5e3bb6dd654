"""The lock files: complete, hashed, and free of anything about the machine that made them."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ["base.lock", "dev.lock"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[ ;<>=!~\[]", name, maxsplit=1)[0]).lower()


def pinned(lock: str) -> dict[str, str]:
    """Name -> version."""
    text = (ROOT / "requirements" / lock).read_text()
    return {normal(name): version for name, version in re.findall(r"(?m)^([\w.-]+)==([^ ;\\]+)", text)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    entries = re.split(r"(?m)^(?=[\w.-]+==)", (ROOT / "requirements" / lock).read_text())[1:]
    assert len(entries) >= 20
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_holds_a_registry_or_a_path(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    assert not re.search(r"https?:|file:|index-url|find-links|(?m:^-)|/work|/home|/opt", text)


def test_the_node_lock_holds_no_registry() -> None:
    packages = json.loads((ROOT / "tests/bullworks/node/package-lock.json").read_text())["packages"]
    assert packages["node_modules/bullmq"]["version"] == "6.7.0"
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_the_base_lock_holds_every_dependency_and_the_dev_lock_all_of_the_base_lock() -> None:
    base, dev = pinned("base.lock"), pinned("dev.lock")
    assert {normal(requirement) for requirement in PROJECT["dependencies"]} <= base.keys()
    assert base.items() <= dev.items()


def test_what_the_package_imports_is_declared() -> None:
    declared = {normal(requirement) for requirement in PROJECT["dependencies"]}
    extras = PROJECT["optional-dependencies"].values()
    optional = {normal(requirement) for extra in extras for requirement in extra}
    comes_with = {"pydantic": "pydantic-settings", "pydantic-core": "pydantic-settings"}
    distributions = packages_distributions()
    undeclared = {}
    for path in [ROOT / "main.py", *(ROOT / "app").rglob("*.py"), *(ROOT / "bullworks").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in {(name or "").split(".")[0] for name in names} - sys.stdlib_module_names - {"app", "bullworks"}:
                owners = {normal(owner) for owner in distributions.get(name, [name])}
                owners = {comes_with.get(owner, owner) for owner in owners}
                if not owners & (declared | optional):
                    undeclared[str(path.relative_to(ROOT))] = name
    assert undeclared == {}
