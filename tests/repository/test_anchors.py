"""A link to a line leads to the line that defines what the link names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.anchors import PAGES, ROOT, Anchor, anchors_of, mended


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_anchor_leads_to_the_definition_that_it_names(page: Path) -> None:
    anchors = list(anchors_of(page.read_text(), page.parent))
    gone = [f"{anchor.path}: {anchor.name}" for anchor in anchors if anchor.defined is None]
    assert gone == [], f"{page.relative_to(ROOT)} names what is not defined there: tell of what there is now"
    moved = [
        f"{anchor.path}#L{anchor.written}: {anchor.name}" for anchor in anchors if anchor.written != anchor.defined
    ]
    assert moved == [], f"{page.relative_to(ROOT)}: the lines have moved; `make format` puts the right ones in"


def test_one_job_is_walked_through_the_files() -> None:
    """The anchors are found at all: the page has a way of writing them, and so has the rule."""
    page = ROOT / "docs" / "architecture.md"
    names = {anchor.name for anchor in anchors_of(page.read_text(), page.parent)}
    assert names >= {"Queue.add", "Finisher.wake", "JobLifecycle.took", "Runner.run", "Reporter.stored"}


def test_anchors_are_found_and_mended(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("class A:\n    @property\n    def b(self): ...\n\nasync def c(): ...\n")
    text = "[`A.b`](x.py#L1), [`c`](x.py#L5), [`gone`](x.py#L9), [`A`](no.py#L1), [no anchor](x.py)"
    assert list(anchors_of(text, tmp_path)) == [
        Anchor("A.b", "x.py", 1, 3),
        Anchor("c", "x.py", 5, 5),
        Anchor("gone", "x.py", 9, None),
        Anchor("A", "no.py", 1, None),
    ]
    assert mended(text, tmp_path) == text.replace("#L1), [`c`]", "#L3), [`c`]")
