"""Did you mean: the known names that a misspelt one resembles."""

from collections.abc import Iterable
from difflib import get_close_matches

# The share of letters in common from which difflib calls two words close.
_ALIKE = 0.6


def suggestion(name: str, known: Iterable[str], *, likeness: float = _ALIKE) -> str | None:
    """The known name that `name` is probably a misspelling of, or None if it resembles none.

    Args:
        likeness: how alike they must be, 0 .. 1.
    """
    return next(iter(suggestions(name, known, 1, likeness=likeness)), None)


def suggestions(name: str, known: Iterable[str], most: int, *, likeness: float = _ALIKE) -> list[str]:
    """Up to `most` known names that resemble `name`, the nearest first."""
    return get_close_matches(name, list(known), most, likeness)
