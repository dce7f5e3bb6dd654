"""What `make upstream` says of two releases; no npm, no Node."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bullworks.upstream import suite
from tests.bullworks.upstream.changes import LuaChange, NameChanges, lua_changes, name_changes
from tests.bullworks.upstream.release import ReleaseError, copy_scripts, installed, with_bullmq


def test_names_that_are_new_or_gone_are_said_once(tmp_path: Path) -> None:
    """A whole class is one name; of a class in both, its members are compared: methods, options and events alike."""
    before = declared(
        tmp_path / "before",
        "export declare class Queue { add(): void; pause(): void; }\nexport declare class Old { one(): void; }\n",
    )
    after = declared(
        tmp_path / "after",
        "export declare class Queue { add(): void; drain(): void; }\n"
        "export interface Listener { 'stalled': () => void; done?: () => void; }\n",
    )
    assert name_changes(before, after) == NameChanges(new=["Listener", "Queue.drain"], gone=["Old", "Queue.pause"])
    assert name_changes(after, after) == NameChanges([], [])


def test_lua_is_compared_by_file_with_includes_first(tmp_path: Path) -> None:
    before = lua(tmp_path / "before", {"add-1.lua": "a\nb\n", "same-1.lua": "s\n", "includes/gone.lua": "g\n"})
    after = lua(tmp_path / "after", {"add-1.lua": "a\nc\nd\n", "same-1.lua": "s\n", "includes/new.lua": "n\nn\n"})
    assert lua_changes(before, after) == [
        LuaChange("includes/gone.lua", "gone", added=0, removed=1),
        LuaChange("includes/new.lua", "new", added=2, removed=0),
        LuaChange("add-1.lua", "changed", added=2, removed=1),
    ]


def test_red_tests_are_read_from_what_pytest_printed() -> None:
    outcome = suite.read(
        "..F\nFAILED tests/a.py::test_one[x y] - AssertionError: not alike\nERROR tests/a.py::test_two\n"
        "=== 1 failed, 2 passed, 1 error in 3.00s ===\n",
        passed=False,
    )
    assert outcome.summary == "1 failed, 2 passed, 1 error in 3.00s"
    assert outcome.red == [("tests/a.py::test_one[x y]", "AssertionError: not alike"), ("tests/a.py::test_two", "")]


def test_a_release_has_our_scripts_and_no_bull_board(tmp_path: Path) -> None:
    copy_scripts(tmp_path / "6.5.4")
    assert (tmp_path / "6.5.4" / "player.mjs").is_file()
    assert (tmp_path / "6.5.4" / "steps" / "jobs.mjs").is_file()
    assert not (tmp_path / "6.5.4" / "node_modules").exists()
    package = {
        "name": "n",
        "dependencies": {"@bull-board/api": "9.10.2", "bullmq": "6.7.0", "ioredis": "^5"},
        "overrides": {"@bull-board/api": "9.10.2", "msgpackr-extract": "3.0.4"},
    }
    assert with_bullmq(package, "6.5.4") == {
        "name": "n",
        "dependencies": {"bullmq": "6.5.4", "ioredis": "^5"},
        "overrides": {"msgpackr-extract": "3.0.4"},
    }


@pytest.mark.parametrize("version", ["latest", "^6.5.0", "6.5", "../6.5.4", ""])
def test_only_an_exact_version_is_installed(version: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is not a version"):
        installed(version, tmp_path)
    assert list(tmp_path.iterdir()) == []


def declared(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "index.d.ts").write_text(text)
    return folder


def lua(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
