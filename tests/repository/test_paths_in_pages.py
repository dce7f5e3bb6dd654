"""No page names a file, a folder or a module of this repository that does not exist.

The rule reads what stands in `code` and in ```text blocks. A token is a path of ours if it has a slash and begins with
one of our folders, if it ends like one of our sources (`keys.py`), or if it ends with a slash (`lua/lib/`). `<name>`
and `*` stand for any name. A folder's README may name paths relative to its own folder or to one above it
(`worker/engine.py`). Other pages name the whole path, or a file's name alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app", "benchmarks", "bullworks", "deploy", "docs", "requirements", "tests", ".ci")
SUFFIXES = ("lua", "md", "mjs", "py", "toml")
# A record of what was: it may name what a later version no longer has.
HISTORY = ROOT / "CHANGELOG.md"
NOT_OURS = {"node_modules", "__pycache__"}


def _files() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file())
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if NOT_OURS.isdisjoint(path.parts))


PATHS = {path.relative_to(ROOT).as_posix() for path in _files()} | set(FOLDERS)
PAGES = sorted(path for path in (ROOT / name for name in PATHS) if path.suffix == ".md" and path != HISTORY)

_TEXT_BLOCK = re.compile(r"^```text\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(?P<text>[^`\n]+)`")
_PATH = re.compile(r"[\w.<>*-]+(?:/[\w.<>*-]+)*/?")
_OURS = re.compile(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/.*|.*\.(?:{'|'.join(SUFFIXES)})|\w.*/")
_MODULE = re.compile(r"(?<![\w.])bullworks(?:\.\w+)+")


def code_of(page: str) -> Iterator[tuple[int, str]]:
    """The pieces of code in a page that may name a path: line number and text of each."""
    spans = _BLOCK.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), page)
    for pattern, text in ((_SPAN, spans), (_TEXT_BLOCK, page)):
        for match in pattern.finditer(text):
            first = text.count("\n", 0, match.start("text")) + 1
            yield from enumerate(match["text"].splitlines(), first)


def named_paths(code: str) -> list[str]:
    """The tokens in a line of code that look like paths of this repository, whether or not they exist."""
    tokens = (token.strip("()[]'\",;:").rstrip(".") for token in code.split())
    return [token for token in tokens if _PATH.fullmatch(token) and _OURS.fullmatch(token)]


def exists(token: str, page: Path) -> bool:
    """Whether a page may name this path."""
    pattern = re.sub(r"<[\w-]+>", "*", token.rstrip("/"))
    folder = page.parent.relative_to(ROOT)
    is_readme = page.name == "README.md"
    around = [folder, *folder.parents] if is_readme else [folder, Path()]
    if any(_is_one_of((base / pattern).as_posix(), PATHS) for base in around):
        return True
    # A name alone: of a folder's README below that folder, of other pages anywhere.
    below = f"{folder.as_posix()}/" if is_readme and folder != Path() else ""
    names = {path.rpartition("/")[2] for path in PATHS if path.startswith(below)}
    return "/" not in pattern and _is_one_of(pattern, names)


def _is_one_of(pattern: str, paths: set[str]) -> bool:
    return pattern in paths or ("*" in pattern and any(fnmatchcase(path, pattern) for path in paths))


def is_module(name: str) -> bool:
    """Whether `bullworks.x.y.Name` is a module, or something that the last module in it mentions."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        base = "/".join(parts[:length])
        file = next(
            (path for path in (f"{base}.py", f"{base}/__init__.pyi", f"{base}/__init__.py") if path in PATHS), None
        )
        if file is not None:
            rest = parts[length:]
            return not rest or re.search(rf"\b{rest[0]}\b", (ROOT / file).read_text()) is not None
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    where, wrong = page.relative_to(ROOT), []
    for line, code in code_of(page.read_text()):
        wrong += [f"{where}:{line}: {path}" for path in named_paths(code) if not exists(path, page)]
        wrong += [f"{where}:{line}: {name}" for name in _MODULE.findall(code) if not is_module(name)]
    assert wrong == [], "these do not exist: mend the page, or name them from the repository's folder on"


@pytest.mark.parametrize(
    ("code", "paths"),
    [
        ("bullworks/bullmq/keys.py", ["bullworks/bullmq/keys.py"]),
        ("bullworks/nowhere", ["bullworks/nowhere"]),
        ("lua/lib/", ["lua/lib/"]),
        ("names.py, x", ["names.py"]),
        ("python main.py worker --processes 4", ["main.py"]),
        ("app/modules/<feature>", ["app/modules/<feature>"]),
        ("(tests/*)", ["tests/*"]),
        ("/health/live", []),
        ("-/live", []),
        ("text/html", []),
        ("redis://host/0", []),
        ("<prefix>:<queue>:", []),
        ("app.container", []),
        ("var/outbox", []),
        ("users.lock", []),
    ],
)
def test_paths_are_told_from_other_code(code: str, paths: list[str]) -> None:
    assert named_paths(code) == paths


@pytest.mark.parametrize(
    ("token", "page", "is_there"),
    [
        ("bullworks/bullmq/keys.py", "docs/workers.md", True),
        ("bullworks/bullmq/kees.py", "docs/workers.md", False),
        ("bullmq/keys.py", "docs/workers.md", False),
        ("keys.py", "docs/workers.md", True),
        ("kees.py", "docs/workers.md", False),
        ("app/modules/<feature>/module.py", "docs/workers.md", True),
        ("app/modules/<feature>/modle.py", "docs/workers.md", False),
        ("queue/getters.py", "bullworks/bullmq/README.md", True),
        ("getters.py", "bullworks/bullmq/README.md", True),
        ("worker/engine.py", "bullworks/bullmq/process_pool/README.md", True),
        ("pace.py", "bullworks/bullmq/worker/README.md", False),
        ("main.py", "bullworks/cli/README.md", True),
    ],
)
def test_paths_are_looked_for_where_the_page_means(token: str, page: str, *, is_there: bool) -> None:
    assert exists(token, ROOT / page) is is_there


def test_modules_are_looked_for_too() -> None:
    assert is_module("bullworks.bullmq.otel.BullMQOtel")
    assert is_module("bullworks.workers.history")
    assert not is_module("bullworks.bullmq.worker_client")


def test_a_problem_names_page_line_and_path() -> None:
    page = "one\n`a/b` and `app/no.py`\n\n```python\n`app/skipped.py`\n```\n```text\nx  app/no_either.py\n```\n"
    found = [(line, path) for line, code in code_of(page) for path in named_paths(code)]
    assert found == [(2, "app/no.py"), (8, "app/no_either.py")]
