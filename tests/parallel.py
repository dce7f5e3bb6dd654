"""How `make test` shares the tests out: whole files, the slow ones first, to more processes than there are cores."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Tests of processes and servers wait more than they compute, so three on a core keep it busy.
_PROCESSES_A_CORE = 3
_MOST_PROCESSES = 12

# What takes longest goes first, so that no long file begins when all others are done.
_SLOWEST_FIRST = ("cluster", "process", "browser", "kill", "node")
# One set of servers, which takes seconds to form, serves a whole folder.
_TOGETHER = ("tests/bullworks/cluster/",)


class FileScheduling(LoadScopeScheduling):
    """Give each file, with what its fixtures started, to one process."""

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
    return FileScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without collecting garbage, of which there is none: each process collects all tests, in half the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        # What was imported stays to the end; no later look at the garbage has to pass it.
        gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the slow marks first where there are several processes; a single one keeps the order of the folders."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    ranks = [rank for rank, mark in enumerate(_SLOWEST_FIRST) if item.get_closest_marker(mark)]
    return min(ranks, default=len(_SLOWEST_FIRST))
