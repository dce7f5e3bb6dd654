"""The wheel's build hook: puts the changelog into it, and Bull Board's own page, see bullworks/board/ui/fetch.py.

Without npm, or where it fails, the wheel has our own pages only, and a warning says so; BOARD_UI=required makes that an
error, for the build of a deploy image. A page with another hash than it should have ends every build.
"""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

UI = "bullworks/board/ui"
CHANGELOG = "CHANGELOG.md"


class BoardUiHook(BuildHookInterface[Any]):
    """Called by hatchling, which finds it in `[tool.hatch.build.targets.wheel.hooks.custom]`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have the wheel hold the changelog and the page, which is fetched; an editable install finds both in place."""
        if version != "editable":
            # `bullworks upgrade` shows it.
            build_data["force_include"][str(Path(self.root) / CHANGELOG)] = f"bullworks/{CHANGELOG}"
        fetching = _fetching(Path(self.root))
        try:
            folder = fetching.fetch()
        except fetching.UiForgedError:
            raise
        except (fetching.UiFetchError, OSError) as error:
            if os.environ.get("BOARD_UI") == "required":
                raise
            self.app.display_warning(f"built without Bull Board's page: {error}")
            return
        if version != "editable":
            build_data["force_include"][str(folder)] = f"{UI}/dist"


def _fetching(root: Path) -> ModuleType:
    """The module by its path: nothing of what the package needs is installed where wheels are built."""
    spec = importlib.util.spec_from_file_location("board_ui_fetch", root / UI / "fetch.py")
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{UI}/fetch.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
