"""Fixtures for tests against the real npm bullmq."""

from __future__ import annotations

import os

import pytest

from tests.compat.node import Node, NodeMissingError


def pytest_report_header() -> str:
    """Say whether the tests against Node will run."""
    try:
        return f"node: {Node.find().version()}"
    except NodeMissingError as error:
        return f"node: {error}"


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with npm bullmq; skips where there is none, fails in CI."""
    try:
        return Node.find()
    except NodeMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
