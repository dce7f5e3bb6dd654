"""Edits of source files: one more item is written as its neighbours are, and everything else stays as it was."""

from __future__ import annotations

from textwrap import dedent

import pytest

from bullworks.cli.editing import Source, fitted, with_entry, with_exported, with_import, with_queue


def lines(text: str) -> str:
    return dedent(text).removeprefix("\n")


def of_module(imports: str) -> Source:
    return Source("part.py", f"@module({imports})\nclass Part: ...\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("imports=[]", "imports=[New]"),
        ("imports=[A]", "imports=[A, New]"),
        ("imports=[A, B(1, [2]),]", "imports=[A, B(1, [2]), New,]"),
        ("imports=[(A)]", "imports=[(A), New]"),
        ("imports=[A, New]", "imports=[A, New]"),
        ("", "imports=[New]"),
        ("providers=[B]", "providers=[B], imports=[New]"),
        ("imports=['ä', \"]\"]", "imports=['ä', \"]\", New]"),
        (
            "\n    imports=[\n        A,\n        B,\n    ]\n",
            "\n    imports=[\n        A,\n        B,\n        New,\n    ]\n",
        ),
        ("imports=[\n  A,\n  B  # last, yes\n]", "imports=[\n  A,\n  B,  # last, yes\n  New\n]"),
        ("imports=[\n  A,  # one\n  # two\n]", "imports=[\n  A,  # one\n  New,\n  # two\n]"),
        ("imports=[\n  A(\n    1,\n  ),\n]", "imports=[\n  A(\n    1,\n  ),\n  New,\n]"),
        ("imports=[\n  A,\n  B]", "imports=[\n  A,\n  B,\n  New]"),
        ("imports=[A,\n  B,]", "imports=[A,\n  B,\n  New,]"),
    ],
)
def test_an_entry_is_written_as_its_neighbours_are(before: str, after: str) -> None:
    assert with_entry(of_module(before), "Part", "imports", "New") == of_module(after).text


def test_of_several_modules_in_a_file_the_named_one_is_edited() -> None:
    text = "@module()\nclass Other: ...\n\n@core.module()\nclass Part: ...\n"
    edited = with_entry(Source("part.py", text), "Part", "exports", "New")
    assert edited == text.replace("@core.module()", "@core.module(exports=[New])")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('imports=[BullModule.register_queue("a")]', 'imports=[BullModule.register_queue("a", "new")]'),
        ('imports=[BullModule.register_queue("new")]', 'imports=[BullModule.register_queue("new")]'),
        (
            'imports=[BullModule.register_queue("a", config_key="b")]',
            'imports=[BullModule.register_queue("a", config_key="b"), BullModule.register_queue("new")]',
        ),
        ("imports=[A]", 'imports=[A, BullModule.register_queue("new")]'),
    ],
)
def test_a_queue_joins_those_that_have_no_options(before: str, after: str) -> None:
    assert with_queue(of_module(before), "Part", "new") == of_module(after).text


@pytest.mark.parametrize(
    ("before", "module", "after"),
    [
        ("x = 1\n", "app.new", "from app.new import New\n\nx = 1\n"),
        ('"""Doc."""\n\nx = 1\n', "app.new", '"""Doc."""\n\nfrom app.new import New\n\nx = 1\n'),
        ("import os\n\nx = 1\n", "app.new", "import os\n\nfrom app.new import New\n\nx = 1\n"),
        (
            "from app.a import A\nfrom app.z import Z  # last\n\nx = 1\n",
            "app.new",
            "from app.a import A\nfrom app.new import New\nfrom app.z import Z  # last\n\nx = 1\n",
        ),
        ("from app.a import A  # why\n", "app.new", "from app.a import A  # why\nfrom app.new import New\n"),
        ("from app.new10 import A\n", "app.new9", "from app.new9 import New\nfrom app.new10 import A\n"),
        ("from app.new import A_B, Old, fun\n", "app.new", "from app.new import A_B, New, Old, fun\n"),
        (
            "from app.new import (\n    A,\n    z,\n)\n",
            "app.new",
            "from app.new import (\n    A,\n    New,\n    z,\n)\n",
        ),
        ("from app.new import New\n", "app.new", "from app.new import New\n"),
        ("from app.new import New as Other\n", "app.new", "from app.new import New, New as Other\n"),
    ],
)
def test_an_import_stands_where_isort_puts_it(before: str, module: str, after: str) -> None:
    assert with_import(Source("part.py", before), module, "New") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('__all__ = ["A", "z"]\n', '__all__ = ["A", "New", "z"]\n'),
        ('__all__ = ["New"]\n', '__all__ = ["New"]\n'),
        ('__all__ = ("A",)\n', '__all__ = ("A",)\n'),
        ("names = []\n", "names = []\n"),
    ],
)
def test_a_name_is_exported_where_there_is_a_list_of_such(before: str, after: str) -> None:
    assert with_exported(Source("part.py", before), "New") == after


def test_new_lines_that_are_too_long_are_spread_from_the_outside_in() -> None:
    text = lines(
        """
        from app.new import AAAAAAAAAAAAAAAAAAAAAAAAAAAAA
        @module(imports=[AAAAAAAAAA(1), BBBBBBBBBBBBBB], exports=[C])
        class Part: ...
        stays = "a line that is far too long, as it was before, and that nobody has touched"
        """
    )
    edited = with_entry(Source("part.py", text), "Part", "imports", "New")
    edited = with_import(Source("part.py", edited), "app.new", "New")
    assert fitted(Source("part.py", edited), text, 40) == lines(
        """
        from app.new import (
            AAAAAAAAAAAAAAAAAAAAAAAAAAAAA,
            New,
        )
        @module(
            imports=[
                AAAAAAAAAA(1),
                BBBBBBBBBBBBBB,
                New,
            ],
            exports=[C],
        )
        class Part: ...
        stays = "a line that is far too long, as it was before, and that nobody has touched"
        """
    )
