"""How the processes of `make test` collect: each only the files that it runs, when it runs them.

pytest-xdist has every process collect every test: with seven thousand, for most of the first half minute. Here a file
is one item, so that all agree on the files by their names alone, and its tests take its place when its turn comes.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.parallel import SLOWEST_FIRST, garbage_kept, rank


class WholeFile(pytest.Item):
    """A file of tests that has not been imported yet, marked as its text has it."""

    def __init__(self, *, path: Path, parent: pytest.Collector) -> None:
        nodeid = path.relative_to(parent.config.rootpath).as_posix()
        super().__init__(path.name, parent, nodeid=nodeid)
        self.path = path
        text = path.read_text()
        for mark in set(re.findall(r"\bmark\.(\w+)", text)).intersection(SLOWEST_FIRST):
            self.add_marker(mark)
        # For tests/marks.py: what tests ask for is among their arguments.
        self.fixturenames = set(re.findall(r"\b(\w+): ", text))
        self.add_marker(pytest.mark.timeout(0))  # each of its tests has its own

    def tests(self) -> list[pytest.Item]:
        """Import the file; its tests, less those that -m and -k leave out. A file that cannot be imported has none."""
        with garbage_kept():
            tests = list(self.session.genitems(pytest.Module.from_parent(self.parent, path=self.path)))
        self.config.hook.pytest_collection_modifyitems(session=self.session, config=self.config, items=tests)
        return tests

    def runtest(self) -> None:
        """Never: its tests run in its place."""
        raise AssertionError(f"{self.nodeid} is not a test")


def collects_whole_files(config: pytest.Config) -> bool:
    """Whether this run does so: one of several processes, and nobody asked for single tests."""
    asks_for_tests = any("::" in argument for argument in config.args)
    asks_for_failed = any(config.getoption(name) for name in ("lf", "failedfirst", "newfirst"))
    return hasattr(config, "workerinput") and not asks_for_tests and not asks_for_failed


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Item | None:
    """Stand in for the module."""
    return WholeFile.from_parent(parent, path=module_path) if collects_whole_files(parent.config) else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Keep -m and -k from files: they are about tests."""
    files = [item for item in items if isinstance(item, WholeFile)]
    yield
    if files:
        items[:] = sorted(files, key=rank)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run the tests of a file; what it shares with the next one stays for that."""
    if not isinstance(item, WholeFile):
        return None
    session, place = item.session, item.session.items.index(item)
    tests: list[Any] = item.tests()
    for test, following in pairwise([*tests, nextitem]):
        if session.shouldstop or session.shouldfail:
            break
        session.items[place] = test
        item.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
    if not tests:
        # What was kept for this file ends, but for what the next one shares.
        session._setupstate.teardown_exact(nextitem)
    return True
