"""Fixtures of the pages' tests."""

from __future__ import annotations

import pytest

from tests.bullworks.docs.service import install_service


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> None:
    """What examples import from `app` is the pages' own service."""
    install_service(monkeypatch)
