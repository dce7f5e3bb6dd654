"""Where two answers differ: Node's, and ours."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.comparison import Seen

OWN_JOB_PAGE = "/-/job?"


def differences(theirs: Any, ours: Any) -> dict[str, tuple[Any, Any]]:
    """Path -> (there, here); empty where they are the same, but for what we mean to have beyond Node."""
    return Seen([theirs], {}).differences(Seen([without_own_links(ours)], {}))


def without_own_links(value: Any) -> Any:
    """A job leads to its page of ours, which Node's board has not got."""
    if isinstance(value, list):
        return [without_own_links(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: without_own_links(item) for name, item in value.items() if not _is_own_link(name, item)}


def _is_own_link(name: str, value: Any) -> bool:
    return name == "externalUrl" and isinstance(value, dict) and OWN_JOB_PAGE in str(value.get("href"))
