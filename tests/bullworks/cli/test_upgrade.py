"""`upgrade`: a project's own files follow Bullworks; no edit is lost, and only what both changed is a conflict."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bullworks import __version__
from bullworks.cli.editing import Source
from bullworks.cli.scaffold import BASE_FILE, FILES, Base, Project
from bullworks.cli.upgrade.changelog import changelog_since, sections_since
from bullworks.cli.upgrade.renames import Rename, renamed
from tests.bullworks.cli.conftest import ROOT, Command

OLD = "# as the old version had it\n"
# What became of them between the two versions, and in the project.
TAKEN, CONFLICT, KEPT, NEW = "Makefile", "pyproject.toml", "tests/test_greetings.py", "app/workers/greetings_worker.py"
GONE, GONE_BUT_EDITED = "app/gone.py", "app/edited.py"


def contents(folder: Path) -> dict[str, str]:
    """The files of a project, without git's."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")


def in_the_old_version(text: str) -> str:
    """The text with its middle line different, if it is long enough to be edited elsewhere."""
    lines = text.splitlines(keepends=True)
    if len(lines) > 6:
        lines[len(lines) // 2] = OLD
    return "".join(lines)


@pytest.fixture
def older() -> Base:
    """What an older Bullworks wrote: most files were another line shorter, one was not there, two are not now."""
    now = Base.installed(Project(name="shop"))
    files = {file: in_the_old_version(text) for file, text in now.files.items() if file != NEW}
    return Base("0.0.9", now.project, {**files, GONE: "gone = 1\n", GONE_BUT_EDITED: "edited = 1\n"})


@pytest.fixture
def project(older: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of the older Bullworks, committed, in whose folder commands run."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    folder = tmp_path / "shop"
    for file, text in {**older.files, BASE_FILE: older.text()}.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    git(folder, "init", "--quiet")
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


def test_over_two_versions_no_edit_is_lost_and_conflicts_are_where_both_changed(
    command: Command, project: Path, older: Base
) -> None:
    now = Base.installed(older.project).files
    edited = [file for file in older.files if file not in {TAKEN, KEPT, GONE}]
    for file in edited:
        (project / file).write_text(f"# first of {file}\n{older.files[file]}# last of {file}\n")
    middle = (project / CONFLICT).read_text().replace(OLD, "# in the middle\n")
    (project / CONFLICT).write_text(middle)
    (project / KEPT).unlink()
    (project / "app/own.py").write_text("own = True\n")
    commit(project)
    before = contents(project)
    ran = command("upgrade")
    after = contents(project)

    marks = ("# first of", "# last of", "# in the middle")
    edits = {line for text in before.values() for line in text.splitlines() if line.startswith(marks)}
    assert len(edits) == 2 * len(edited) + 1
    assert edits <= {line for text in after.values() for line in text.splitlines()}
    for file in edited:
        if file not in {CONFLICT, GONE_BUT_EDITED}:
            assert after[file] == f"# first of {file}\n{now[file]}# last of {file}\n"
    changed_line = now[CONFLICT].splitlines()[len(now[CONFLICT].splitlines()) // 2]
    assert (
        f"<<<<<<< yours\n# in the middle\n=======\n{changed_line}\n>>>>>>> Bullworks {__version__}\n" in after[CONFLICT]
    )
    assert {file for file in after if "<<<<<<<" in after[file]} == {CONFLICT}
    assert (after[TAKEN], after[NEW]) == (now[TAKEN], now[NEW])
    assert after.keys() == (now.keys() | {BASE_FILE, GONE_BUT_EDITED, "app/own.py"}) - {KEPT}
    assert after["app/own.py"] == "own = True\n"
    assert json.loads(after[BASE_FILE])["bullworks"] == __version__

    assert (ran.code, ran.err) == (1, "")
    report = ran.out.partition(f"\nFrom Bullworks 0.0.9 to {__version__}:\n")[2]
    told = dict(reversed(line.split(":")[0].split()) for line in report.splitlines() if line.startswith("  "))
    assert {file: outcome for file, outcome in told.items() if outcome != "merged"} == {
        TAKEN: "taken",
        CONFLICT: "conflict",
        NEW: "new",
        KEPT: "kept",
        GONE_BUT_EDITED: "kept",
        GONE: "removed",
    }
    assert "\nNow solve 1 conflict, look at `git diff`," in ran.out

    commit(project)
    assert command("upgrade").out.startswith("Nothing to do: this project has what Bullworks ")


def test_a_project_without_edits_becomes_what_a_new_one_is(command: Command, project: Path, older: Base) -> None:
    assert command("upgrade").code == 0
    assert contents(project) == {**Base.installed(older.project).files, BASE_FILE: Base.installed(older.project).text()}
    assert command("upgrade").out.startswith("Nothing to do")


def test_what_is_not_committed_is_not_touched(command: Command, project: Path) -> None:
    (project / "note.txt").write_text("mine\n")
    (project / TAKEN).write_text("mine\n")
    before = contents(project)
    ran = command("upgrade")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: there is what is not committed: {TAKEN}, note.txt. Commit or stash it first")
    assert contents(project) == before
    assert command("upgrade", "--dry-run").code == 0


def test_a_dry_run_shows_a_diff_and_writes_nothing(command: Command, project: Path, older: Base) -> None:
    before = contents(project)
    shown = command("upgrade", "--dry-run").out
    assert contents(project) == before
    (project / "diff").write_text(shown)
    git(project, "apply", "diff")
    (project / "diff").unlink()
    assert contents(project) == {**Base.installed(older.project).files, BASE_FILE: older.text()}


def test_lines_end_as_they_did(command: Command, project: Path, older: Base) -> None:
    (project / TAKEN).write_bytes(older.files[TAKEN].replace("\n", "\r\n").encode())
    commit(project)
    assert command("upgrade").code == 0
    text = Base.installed(older.project).files[TAKEN]
    assert (project / TAKEN).read_bytes() == text.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        ("rm -r .git", " is not in a git repository: fatal: not a git repository"),
        (f"rm {BASE_FILE}", f" has no {BASE_FILE}, so there is nothing to compare its files with. `bullworks new`"),
        (f"echo '[]' > {BASE_FILE}", f"/{BASE_FILE} cannot be read: TypeError("),
        (f"sed -i.old s/0.0.9/99.0.0/ {BASE_FILE}", "this project was upgraded to Bullworks 99.0.0 already, and"),
    ],
)
def test_what_cannot_be_upgraded_says_why(command: Command, project: Path, spoil: str, error: str) -> None:
    subprocess.run(["sh", "-c", spoil], cwd=project, check=True, timeout=30)
    ran = command("upgrade")
    assert (ran.code, ran.out) == (1, "")
    assert error in ran.err


def test_the_changelog_is_shown_from_the_version_of_the_base_on() -> None:
    text = "# Changelog\n\n## [Unreleased]\n\n## [0.3.0] - today\n\n- c\n\n## [0.2.0]\n\n- b\n\n## [0.1.0]\n\n- a\n"
    assert sections_since(text, "0.1.0") == "## [0.3.0] - today\n\n- c\n\n## [0.2.0]\n\n- b"
    assert sections_since(text, "0.0.1").endswith("- a")
    assert sections_since(text, "0.3.0") == ""
    assert changelog_since("0.0.1") in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from bullworks.workers import Old, Z\n\n\nclass A(Old):\n    b: list[Old]  # Old\n",
            "from bullworks.workers import New, Z\n\n\nclass A(New):\n    b: list[New]  # Old\n",
        ),
        (
            "from bullworks.workers import Old as Mine\nMine, Old\n",
            "from bullworks.workers import New as Mine\nMine, Old\n",
        ),
        ("from bullworks.core import Old\nOld\n", "from bullworks.core import Old\nOld\n"),
        (
            'from bullworks.workers import Old\n\n__all__ = ["Old"]\n',
            'from bullworks.workers import New as Old\n\n__all__ = ["Old"]\n',
        ),
        (
            "from bullworks.workers import Old\n\ndef f(Old): ...\n",
            "from bullworks.workers import New as Old\n\ndef f(Old): ...\n",
        ),
    ],
)
def test_a_rename_changes_imports_and_uses_or_imports_the_new_name_as_the_old_one(before: str, after: str) -> None:
    assert renamed(Source("a.py", before), Rename("0.2.0", "bullworks.workers", "Old", "New")) == after


def test_what_is_renamed_is_no_conflict_with_an_edit_beside_it(
    command: Command, project: Path, older: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old version's files had the old name, as a file of the project's own has; the new version's do not."""
    file = "app/modules/greetings/service.py"
    had = older.files[file].replace("InjectQueue", "QueueOf")
    base = Base(older.version, older.project, {**older.files, file: had})
    (project / BASE_FILE).write_text(base.text())
    (project / file).write_text(had.replace("import QueueOf", "import QueueOf, WorkerHost"))
    (project / "app/own.py").write_text("from bullworks.workers import QueueOf\n\nown = QueueOf\n")
    (project / "app/odd.py").write_text("QueueOf is\n")
    commit(project)
    monkeypatch.setattr(
        "bullworks.cli.upgrade.command.RENAMES", (Rename("0.1.0", "bullworks.workers", "QueueOf", "InjectQueue"),)
    )
    ran = command("upgrade")
    assert ran.code == 0, ran.out
    after = contents(project)
    assert after["app/own.py"] == "from bullworks.workers import InjectQueue\n\nown = InjectQueue\n"
    assert after[file] == Base.installed(older.project).files[file].replace(
        "import InjectQueue", "import InjectQueue, WorkerHost"
    )
    assert after["app/odd.py"] == "QueueOf is\n"
    assert "  renamed   app/own.py: it uses what has another name now\n" in ran.out
    assert "  unread    app/odd.py: " in ran.out


def test_files_of_the_base_are_those_of_the_template() -> None:
    assert tuple(Base.installed(Project(name="shop")).files) == FILES
