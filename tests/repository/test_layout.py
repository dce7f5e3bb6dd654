"""What every folder and page keeps to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A project of its own, which is small enough to have one page in all.
TEMPLATE = ROOT / "bullworks/cli/scaffold/template"
PACKAGES = sorted(
    path.parent
    for top in ("app", "bullworks")
    for path in (ROOT / top).rglob("__init__.py")
    if not path.is_relative_to(TEMPLATE)
)
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "app").rglob("*.md"),
        *(ROOT / "bullworks").rglob("*.md"),
        *(ROOT / "benchmarks").rglob("*.md"),
    ]
)
# A name that says nothing collects everything.
EMPTY_NAMES = {"utils", "helpers", "common", "types", "misc"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.relative_to(ROOT)))
def test_each_folder_says_what_it_is(package: Path) -> None:
    """In a README of its own; a small one inside another may be said in that one's, as `name/`."""
    above = package.parent / "README.md"
    if package.parent.parent.name in {"bullworks", "app"} and f"`{package.name}/" in above.read_text():
        return
    page = package / "README.md"
    assert page.is_file(), f"write {page}, or a row `{package.name}/` in {above}"
    text = page.read_text()
    assert text.startswith("# "), f"begin {page} with a heading"


@pytest.mark.parametrize("feature", sorted(path.name for path in PACKAGES if path.parent == ROOT / "app" / "modules"))
def test_each_feature_has_a_readme_and_is_listed(feature: str) -> None:
    modules = ROOT / "app" / "modules"
    assert (modules / feature / "README.md").is_file(), f"write app/modules/{feature}/README.md"
    link = f"[{feature}]({feature}/README.md)"
    assert link in (modules / "README.md").read_text(), f"add {link} to app/modules/README.md"


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = [path for top in ("app", "bullworks") for path in (ROOT / top).rglob("*.py") if path.stem in EMPTY_NAMES]
    assert empty == [], "name each file by what it holds, or put its content beside its users"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text())
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [target for target in targets if target and "://" not in target]
    missing = [target for target in local if not (page.parent / target).exists()]
    assert missing == [], f"{page.relative_to(ROOT)} links to what is not there: mend these links"
