"""A parent's children, by what became of them; and one page of each kind, where there are many."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options import checks

_PAGE = 20


class DependencyOptions(TypedDict, total=False):
    """Cursor and page size for one kind of children.

    Attributes:
        cursor: 0, at first; then the `next_..._cursor` of the page before.
        count: about how many; default 20. Few children come all at once, however few are asked for.
    """

    cursor: int
    count: int


class DependenciesOptions(TypedDict, total=False):
    """The kinds of children to read, each with its page; kinds left out are not read."""

    processed: DependencyOptions
    unprocessed: DependencyOptions
    ignored: DependencyOptions
    failed: DependencyOptions


@dataclass(frozen=True, slots=True)
class Dependencies:
    """A job's children by their Redis keys.

    Attributes:
        processed: completed, with what they returned.
        unprocessed: those it waits for.
        ignored: failed ones that it went on without, with the reason.
        failed: failed ones that fail it too.
        next_processed_cursor, next_unprocessed_cursor, next_ignored_cursor, next_failed_cursor: where the page after
            this one begins; 0 means this was the last one; None means no page was asked for.
    """

    processed: dict[str, Any] = field(default_factory=dict)
    unprocessed: list[str] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    next_processed_cursor: int | None = None
    next_unprocessed_cursor: int | None = None
    next_ignored_cursor: int | None = None
    next_failed_cursor: int | None = None


@dataclass(frozen=True, slots=True)
class DependenciesCount:
    """The number of children of each kind; see Dependencies."""

    processed: int
    unprocessed: int
    ignored: int
    failed: int


ChildrenKind = Literal["processed", "pending"]


@dataclass(frozen=True, slots=True)
class ChildItem:
    """A child, named by its Redis key.

    Attributes:
        value: what it returned; None means it has not ended, or that is no JSON.
    """

    id: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class ChildrenPage:
    """One page of a job's children.

    Attributes:
        jobs: those of them that are still there.
        total: how many children of that kind there are.
    """

    items: list[ChildItem]
    jobs: list[Any]
    total: int


@dataclass(frozen=True, slots=True)
class Page:
    """A validated DependencyOptions."""

    cursor: int = 0
    count: int = _PAGE

    @classmethod
    def of(cls, option: str, value: object) -> "Page":
        """Validate a DependencyOptions. Raises InvalidOptionError."""
        given = checks.parts(option, value, DependencyOptions.__annotations__)
        for part, number in given.items():
            checks.whole(f"{option}.{part}", number, 0 if part == "cursor" else 1)
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Pages:
    """A page for each kind of children; None means that kind is not read."""

    processed: Page | None = None
    unprocessed: Page | None = None
    ignored: Page | None = None
    failed: Page | None = None

    @classmethod
    def of(cls, options: DependenciesOptions) -> "Pages | None":
        """Validate the options; None if no page is requested, which means all children. Raises InvalidOptionError."""
        known = DependenciesOptions.__annotations__
        for kind in options:
            if kind not in known:
                raise InvalidOptionError.unknown(kind, known)
        pages = {kind: Page.of(kind, value) for kind, value in options.items() if value is not None}
        return cls(**pages) if pages else None
