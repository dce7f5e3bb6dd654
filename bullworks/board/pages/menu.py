"""The menu: pages of our own that every one of them leads to, and Bull Board's menu as well."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """An entry of the board's menu.

    Attributes:
        path: below `-`, as in "/failures".
        key: a letter; `g` and then this goes there.
    """

    title: str
    path: str
    key: str


PAGES = (
    Page("Overview", "/", "o"),
    Page("Search", "/search", "s"),
    Page("Failures", "/failures", "f"),
    Page("Workers", "/workers", "w"),
    Page("Schedules", "/schedules", "c"),
    Page("Locks", "/locks", "l"),
    Page("Audit", "/audit", "a"),
)
"""In this order: overview, search, failures, workers, schedules, locks, audit."""
