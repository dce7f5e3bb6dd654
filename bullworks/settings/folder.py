"""The folder of the project that runs: where `.env` is, and what relative folders of settings start from."""

import sys
from pathlib import Path

_PROJECT_FILE = "pyproject.toml"


def project_folder() -> Path:
    """Find the running project's folder, with its pyproject.toml; else the current folder.

    Looked for beside the script that runs (`main.py`), then in the current folder and those above it.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is not None and (folder := Path(script).resolve().parent) and (folder / _PROJECT_FILE).is_file():
        return folder
    current = Path.cwd()
    return next((folder for folder in (current, *current.parents) if (folder / _PROJECT_FILE).is_file()), current)
