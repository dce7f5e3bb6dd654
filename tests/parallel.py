"""How `make test` shares the tests out: whole files, the slow ones first, to more processes than there are cores.

Each process collects the files that it runs, see whole_files.py.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Tests of processes and servers wait more than they compute, so three on a core keep it busy.
_PROCESSES_A_CORE = 3
_MOST_PROCESSES = 12

# What takes longest goes first, so that no long file begins when all others are done.
SLOWEST_FIRST = ("cluster", "process", "browser", "kill", "node")
# One set of servers, which takes seconds to form, serves a whole folder.
_TOGETHER = ("tests/bullworks/cluster/",)
# For the percentages on the terminal.
_TESTS_A_FILE = 20


class FileScheduling(LoadScopeScheduling):
    """Give each file, with what its fixtures started, to one process.

    Nobody knows how many tests there are before all files have run: percentages guess those of the files to come.
    """

    _tests = 0
    _files_to_come: int | None = None

    def schedule(self) -> None:
        super().schedule()
        nodeids = self.collection or ()
        if not any("::" in nodeid for nodeid in nodeids):
            self._files_to_come = len(nodeids)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        if self._files_to_come is not None:
            self._files_to_come -= 1
            self._expect()

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tests += report.when == "setup"
        self._expect()

    def _expect(self) -> None:
        if self._files_to_come is not None:
            session = self.config.pluginmanager.get_plugin("session")
            session.testscollected = self._tests + self._files_to_come * _TESTS_A_FILE

    def _split_scope(self, nodeid: str) -> str:
        whole = [folder for folder in _TOGETHER if nodeid.startswith(folder)]
        return whole[0] if whole else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Answer `-n auto`."""
    return min(_MOST_PROCESSES, _PROCESSES_A_CORE * (os.cpu_count() or 1))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling:
    """Share out by file, in the order in which the tests were collected."""
    config.option.loadscopereorder = False
    scheduling = FileScheduling(config, log)
    config.pluginmanager.register(scheduling)
    return scheduling


@contextmanager
def garbage_kept() -> Iterator[None]:
    """Import and collect without looking for garbage, of which there is none: in half the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What was imported stays to the end; no later look at the garbage has to pass it."""
    with garbage_kept():
        collected = yield
    gc.freeze()
    return collected


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the slow marks first where there are several processes; a single one keeps the order of the folders."""
    if hasattr(config, "workerinput"):
        items.sort(key=rank)


def rank(item: pytest.Item) -> int:
    """Tell how early it goes."""
    ranks = [rank for rank, mark in enumerate(SLOWEST_FIRST) if item.get_closest_marker(mark)]
    return min(ranks, default=len(SLOWEST_FIRST))
