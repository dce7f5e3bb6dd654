"""One cluster and one watched pair for the whole folder; a test that kills something heals it after itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.bullworks.cluster.cluster_nodes import ClusterNodes
from tests.bullworks.cluster.group import ServerGroup
from tests.bullworks.cluster.watched import WatchedPair
from tests.bullworks.compat.node import Node, NodeMissingError


@pytest.fixture(scope="package")
def cluster_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterNodes]:
    """Three primaries, three replicas."""
    with ClusterNodes(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture(scope="package")
def watched_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedPair]:
    """A master, a replica, three sentinels."""
    with WatchedPair(tmp_path_factory.mktemp("sentinel")) as pair:
        yield pair


@pytest.fixture(params=["cluster", "sentinel"])
def group(request: pytest.FixtureRequest) -> ServerGroup:
    """The one, then the other."""
    name = {"cluster": "cluster_nodes", "sentinel": "watched_pair"}[request.param]
    group: ServerGroup = request.getfixturevalue(name)
    return group


@pytest.fixture
def prefix(key_prefix: str) -> str:
    """With a tag, as a cluster needs it."""
    return f"{{{key_prefix}}}"


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with npm bullmq; skips where there is none, fails in CI."""
    try:
        return Node.find()
    except NodeMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
