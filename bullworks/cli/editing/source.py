"""Source: a Python file's text with its syntax tree, and where in the text a node stands."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field

from bullworks.cli.failure import CommandError

_LAYOUT = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT})


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is neither layout nor a comment; offsets into the text, in characters."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a Python file and its tree. An edit returns a new text: everything else stays as it was.

    Args:
        file: its name, for errors.
        text: with `\\n` at the ends of lines.

    Raises:
        CommandError: it is not Python.
    """

    file: str
    text: str
    tree: ast.Module = field(init=False, repr=False)
    _line_starts: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            tree = ast.parse(self.text)
        except SyntaxError as error:
            raise CommandError(f"{self.file}:{error.lineno}: {error.msg}", "Mend it first.") from error
        starts = [0]
        for line in io.StringIO(self.text):
            starts.append(starts[-1] + len(line))
        object.__setattr__(self, "tree", tree)
        object.__setattr__(self, "_line_starts", starts)

    def start(self, node: ast.expr | ast.stmt | ast.alias | ast.keyword) -> int:
        """The offset at which a node begins."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.alias | ast.keyword) -> int:
        """The offset behind a node."""
        if node.end_lineno is None or node.end_col_offset is None:
            raise ValueError(f"{ast.dump(node)} has no place in the text")
        return self._offset(node.end_lineno, node.end_col_offset)

    def line_start(self, offset: int) -> int:
        """The offset at which the line of an offset begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """The offset of the end of the line of an offset, before its `\\n`."""
        found = self.text.find("\n", offset)
        return len(self.text) if found < 0 else found

    def tokens(self) -> Iterator[Token]:
        """The file's tokens in order, without layout and comments."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in _LAYOUT:
                start, end = (self._line_starts[line - 1] + column for line, column in (token.start, token.end))
                yield Token(token.string, start, end)

    def _offset(self, line: int, column_bytes: int) -> int:
        # The tree counts columns in bytes of UTF-8.
        start = self._line_starts[line - 1]
        text = self.text[start : start + column_bytes]
        return start + len(text.encode()[:column_bytes].decode())


def splice(text: str, start: int, end: int, new: str) -> str:
    """Replace a piece of a text."""
    return f"{text[:start]}{new}{text[end:]}"
