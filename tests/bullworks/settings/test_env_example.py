"""`.env.example` is the list of all variables, with their defaults."""

from __future__ import annotations

from pathlib import Path

from dotenv import dotenv_values

from bullworks.settings import Settings, project_folder
from tests.bullworks.settings.conftest import SECTIONS, VARIABLES

EXAMPLE = project_folder() / ".env.example"


def test_the_example_lists_every_variable_and_no_other() -> None:
    assert set(dotenv_values(EXAMPLE)) == VARIABLES


def test_the_example_holds_the_defaults(tmp_path: Path) -> None:
    assert Settings.load(EXAMPLE) == Settings.load(tmp_path / "no-such-file")


def test_every_variable_has_a_hint() -> None:
    assert all(field.description for section in SECTIONS for field in section.model_fields.values())
