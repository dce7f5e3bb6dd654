"""`new`: what it writes where, and what it refuses before it has written anything."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from bullworks.cli.scaffold import BASE_FILE, FILES
from tests.bullworks.cli.conftest import ROOT, Command

TEMPLATE = "bullworks/cli/scaffold/template"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_project_has_the_name_of_its_folder_and_says_what_comes_next(command: Command, elsewhere: Path) -> None:
    ran = command("new", "shop")
    assert (ran.code, ran.err) == (0, "")
    assert written(elsewhere / "shop") == {*FILES, BASE_FILE}
    assert tomllib.loads((elsewhere / "shop/pyproject.toml").read_text())["project"]["name"] == "shop"
    assert (elsewhere / "shop/README.md").read_text().startswith("# shop\n")
    first, _, *steps = ran.out.splitlines()
    assert first.startswith(f"shop is written: {len(FILES)} files, ")
    assert [step.split("  ")[1] for step in steps[:3]] == ["cd shop", "make run", "make test"]


def test_the_current_folder_will_do_also_if_it_is_a_new_repository(command: Command, elsewhere: Path) -> None:
    project = elsewhere / "shop"
    (project / ".git").mkdir(parents=True)
    (project / ".git" / "HEAD").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        ran = command("new", ".")
    assert ran.code == 0
    assert "shop is written" in ran.out
    assert "  cd " not in ran.out
    assert written(project) == {*FILES, BASE_FILE, ".git/HEAD"}


def test_a_folder_with_something_in_it_is_left_alone(command: Command, elsewhere: Path) -> None:
    (elsewhere / "shop").mkdir()
    for name in ("a.txt", "b.txt"):
        (elsewhere / "shop" / name).touch()
    ran = command("new", "shop")
    assert ran.code == 1
    assert ran.err == (
        "error: shop is not empty: it holds a.txt, b.txt. Name a folder that is new or empty; nothing was written.\n"
    )
    assert written(elsewhere / "shop") == {"a.txt", "b.txt"}


def test_a_file_is_no_folder(command: Command, elsewhere: Path) -> None:
    (elsewhere / "shop").touch()
    assert command("new", "shop").err == "error: shop is a file. Name a folder that is new or empty.\n"
    assert command("new", "shop/inner").err == "error: shop/inner cannot be written: Not a directory\n"


@pytest.mark.parametrize("name", ["-shop", "shop-", "my shop", "läden", "a$b", ".shop"])
def test_a_name_that_no_package_may_have_is_refused(command: Command, elsewhere: Path, name: str) -> None:
    ran = command("new", "--", name)
    assert ran.code == 1
    assert "cannot be the name of a project. A name has letters, digits" in ran.err
    assert written(elsewhere) == set()


@pytest.mark.parametrize("name", ["bullworks", "Bullworks", "redis", "dependency_injector"])
def test_a_name_that_the_project_would_itself_need_is_refused(command: Command, elsewhere: Path, name: str) -> None:
    ran = command("new", name)
    assert (ran.code, written(elsewhere)) == (1, set())
    assert (
        ran.err
        == f"error: {name!r} is the name of a package that is installed beside a project. Choose another name.\n"
    )


def test_bullworks_comes_from_where_pip_finds_it_unless_a_checkout_is_asked_for(
    command: Command, elsewhere: Path
) -> None:
    command("new", "shop")
    ran = command("new", "mine", "--from-checkout")
    ours, theirs = ((elsewhere / name / "Makefile").read_text() for name in ("mine", "shop"))
    assert "\nBULLWORKS ?=\n" in theirs
    assert f"\nBULLWORKS ?= {ROOT}\n" in ours
    assert ours.replace(f" {ROOT}", "") == theirs
    assert f"Its Bullworks is the checkout {ROOT}: BULLWORKS in the Makefile says so." in ran.out


def test_an_installed_bullworks_is_no_checkout(
    command: Command, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = elsewhere / "site-packages"
    monkeypatch.setattr(
        "bullworks.cli.scaffold.checkout.__file__", str(packages / "bullworks/cli/scaffold/checkout.py")
    )
    ran = command("new", "shop", "--from-checkout")
    assert ran.code == 1
    assert ran.err.startswith(f"error: this Bullworks is installed in {packages} and is not a checkout. Leave out")
    assert not (elsewhere / "shop").exists()


def test_a_checkout_whose_path_means_something_to_make_is_refused(
    command: Command, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = elsewhere / "a$b"
    checkout.mkdir()
    (checkout / "pyproject.toml").write_text('[project]\nname = "bullworks"\n')
    monkeypatch.setattr(
        "bullworks.cli.scaffold.checkout.__file__", str(checkout / "bullworks/cli/scaffold/checkout.py")
    )
    ran = command("new", "shop", "--from-checkout")
    assert ran.code == 1
    assert f"the path of the checkout cannot be written into a Makefile: {checkout}" in ran.err


def test_a_project_has_all_files_of_the_template() -> None:
    listed = subprocess.run(
        ["git", "ls-files", TEMPLATE], cwd=ROOT, check=True, capture_output=True, text=True, timeout=30
    )
    assert [f"{TEMPLATE}/{file}" for file in sorted(FILES)] == sorted(listed.stdout.split())


def test_a_project_names_no_registry() -> None:
    texts = {file: (ROOT / TEMPLATE / file).read_text() for file in FILES}
    named = {
        file
        for file, text in texts.items()
        for word in ("index-url", "find-links", "pypi", "no-index")
        if word in text.lower()
    }
    assert named == set()
