"""`.env.example` lists every variable that this service reads, with its default."""

from pathlib import Path

from bullworks.core import create_application
from bullworks.logs import LogSettings
from bullworks.settings import Settings, SettingsSource, project_folder
from dotenv import dotenv_values

from app.app_module import AppModule

EXAMPLE = project_folder() / ".env.example"
CLASSES: list[type[Settings]] = [LogSettings, *create_application(AppModule).discovery.settings_classes()]


def test_it_lists_every_variable_and_no_other() -> None:
    assert set(dotenv_values(EXAMPLE)) == {field.upper() for cls in CLASSES for field in cls.model_fields}


def test_it_holds_the_defaults(tmp_path: Path) -> None:
    example, nothing = SettingsSource(env_file=EXAMPLE), SettingsSource(env_file=tmp_path / "no-such-file")
    assert [example[cls] for cls in CLASSES] == [nothing[cls] for cls in CLASSES]
