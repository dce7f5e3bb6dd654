"""Which tests need more than a Python and one server: by their folder, and by what they ask for.

Anything else that starts programs or servers of its own bears its mark in its file. `make quick` runs what bears none.
"""

from __future__ import annotations

import pytest

_BY_FOLDER = {
    "tests/bullworks/bullmq/process_pool/": "process",
    "tests/bullworks/cluster/": "cluster",
    "tests/bullworks/reliability/": "kill",
    "tests/bullworks/soak/": "kill",
}
# `page` is Bull Board's own page, which npm fetches; `own_server` is a server for one test, to be broken by it.
_BY_FIXTURE = {"node": "node", "page": "node", "chromium": "browser", "own_server": "process"}


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark it."""
    for folder, mark in _BY_FOLDER.items():
        if item.nodeid.startswith(folder):
            item.add_marker(mark)
    for fixture, mark in _BY_FIXTURE.items():
        if fixture in getattr(item, "fixturenames", ()):
            item.add_marker(mark)
