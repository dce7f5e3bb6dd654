"""Items: what stands between two brackets with commas between, and one more of it in the layout of the others."""

import ast
from dataclasses import dataclass

from bullworks.cli.editing.source import Source, splice

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_STEP = "    "


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a list, of a call's arguments, or of an import: offsets into the source's text.

    Args:
        opening: behind the opening bracket, or behind the word `import` and its space.
        closing: of the closing bracket, or of the end of the import.
        spans: begin and end of each item.
        comma: behind the comma that follows the last item, if there is one.
        has_brackets: False for an import without parentheses.
    """

    source: Source
    opening: int
    closing: int
    spans: tuple[tuple[int, int], ...]
    comma: int | None = None
    has_brackets: bool = True

    @classmethod
    def of_list(cls, source: Source, node: ast.List) -> "Items":
        """The elements of a list display."""
        return _between_brackets(source, source.start(node))

    @classmethod
    def of_call(cls, source: Source, node: ast.Call) -> "Items":
        """The arguments of a call, those with keywords included."""
        return _between_brackets(source, source.end(node.func))

    @classmethod
    def of_import(cls, source: Source, node: ast.ImportFrom) -> "Items":
        """The names of an import."""
        first, last = source.start(node.names[0]), source.end(node.names[-1])
        if source.text[source.end(node) - 1] == ")":
            return _between_brackets(source, source.start(node))
        spans = tuple((source.start(name), source.end(name)) for name in node.names)
        return cls(source, first, last, spans, has_brackets=False)

    @property
    def texts(self) -> list[str]:
        """The items as they are written."""
        return [self.source.text[start:end] for start, end in self.spans]

    @property
    def is_on_one_line(self) -> bool:
        """Whether the brackets stand on one line."""
        return "\n" not in self.source.text[self.opening : self.closing]

    def insert(self, index: int, item: str) -> str:
        """The text with one more item, which is written as its neighbours are: on a line of its own, or on theirs."""
        text = self.source.text
        if not self.spans:
            return splice(text, self.opening, self.opening, item)
        if index < len(self.spans):
            at = self.spans[index][0]
            return splice(text, at, at, f"{item},{self._line_break(at) or ' '}")
        last, end = self.spans[-1]
        line_break = self._line_break(last)
        if line_break is None:
            return splice(text, end, end, f", {item}")
        # A comment behind the last item stays behind it.
        at = min(self.source.line_end(end if self.comma is None else self.comma), self.closing)
        if self.comma is not None:
            return splice(text, at, at, f"{line_break}{item},")
        return splice(splice(text, at, at, f"{line_break}{item}"), end, end, ",")

    def spread(self) -> str:
        """The text with each item on a line of its own, as formatters have it that heed a last comma."""
        text = self.source.text
        line = text[self.source.line_start(self.opening) : self.opening]
        indent = line[: len(line) - len(line.lstrip())]
        items = "".join(f"{indent}{_STEP}{item},\n" for item in self.texts)
        opening, closing = ("", "") if self.has_brackets else ("(", ")")
        return splice(text, self.opening, self.closing, f"{opening}\n{items}{indent}{closing}")

    def _line_break(self, start: int) -> str | None:
        """The end of a line and the indentation of an item; None if the item is not the first on its line."""
        indent = self.source.text[self.source.line_start(start) : start]
        return f"\n{indent}" if not indent.strip() else None


def _between_brackets(source: Source, at: int) -> Items:
    """The items of the first pair of brackets that opens at an offset, or behind it."""
    depth, opening, start, end, comma = 0, 0, None, 0, None
    spans: list[tuple[int, int]] = []
    for token in source.tokens():
        if token.start < at or (depth == 0 and token.text not in _OPENING):
            continue
        if token.text in _CLOSING and depth == 1:
            spans += [] if start is None else [(start, end)]
            return Items(source, opening, token.start, tuple(spans), comma if start is None else None)
        if depth == 0:
            opening = token.end
        elif token.text == "," and depth == 1 and start is not None:
            spans.append((start, end))
            start, comma = None, token.end
        else:
            start, end = token.start if start is None else start, token.end
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
    raise ValueError(f"{source.file}: no brackets from {at} on")
