"""mypy --strict and pyright accept what users write, with no cast, and refuse what is wrong, line by line."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FILES = sorted([*HERE.glob("accepted_*.py"), HERE / "refused.py"])

_REFUSED = re.compile(r"# refused: mypy (?P<mypy>[\w -]+), pyright (?P<pyright>[\w ]+)$")
_MYPY_LINE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*?)(?:  \[(?P<rule>[\w-]+)\])?$")

# Shown with what only one side has.
ADVICE = "mend the types, or the `# refused:` comment of that line"

Finding = tuple[str, int, str]


def expected(tool: str) -> set[Finding]:
    """File, line and rule of each comment."""
    found: set[Finding] = set()
    for path in FILES:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = _REFUSED.search(line)
            if match is not None:
                found |= {(path.name, number, rule) for rule in match[tool].split()}
    return found


def run(*command: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={"MYPYPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    return ran.stdout


def mypy_findings() -> Iterator[Finding]:
    output = run("mypy", "--strict", "--config-file", "", "--explicit-package-bases", *map(str, FILES))
    for line in output.splitlines():
        match = _MYPY_LINE.match(line)
        if match is not None and (ROOT / match["file"]) in FILES:
            yield Path(match["file"]).name, int(match["line"]), match["rule"] or match["text"]


def pyright_findings() -> Iterator[Finding]:
    # The files by name: pyright passes over absolute paths in a project's `include`, and would read the whole tree.
    report = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, FILES)))
    assert report["summary"]["filesAnalyzed"] == len(FILES)
    for finding in report["generalDiagnostics"]:
        line = finding["range"]["start"]["line"] + 1
        yield Path(finding["file"]).name, line, finding.get("rule", finding["message"])


@pytest.mark.timeout(180)
def test_mypy_finds_what_is_wrong_and_nothing_else() -> None:
    assert set(mypy_findings()) == expected("mypy"), ADVICE


@pytest.mark.timeout(180)
def test_pyright_finds_what_is_wrong_and_nothing_else() -> None:
    assert set(pyright_findings()) == expected("pyright"), ADVICE
