"""Text from elsewhere, shown so that it can neither forge a line nor drive the terminal."""

import unicodedata

# Control, format (bidirectional overrides) and surrogate characters, and the two Unicode line ends.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def escape(text: str) -> str:
    """Escape all characters that a terminal or a line reader would act on, as in `\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _UNSAFE_CATEGORIES
        else character
        for character in text
    )
