"""Imports what a name says, `package.module:name`; what is missing is said with the line that wants it."""

import importlib
from pathlib import Path
from typing import Any

from bullworks.cli.failure import CommandError


def import_object(place: str) -> Any:
    """Import the object that `package.module:name` names.

    Raises:
        CommandError: there is no such module, or it has no such name; says which line to look at.
    """
    module_name, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module_name), name)
    except ModuleNotFoundError as error:
        raise CommandError(_missing(place, error), "Restore it, or remove the import and its uses") from error
    except AttributeError as error:
        raise CommandError(f"{module_name} has no {name}", "Write it as MODULE:NAME") from error


def _missing(app: str, error: ModuleNotFoundError) -> str:
    """Says which import names what is not there: the last line of the traceback that is not the import system's."""
    traceback, place = error.__traceback__, ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not file.startswith("<frozen") and file != __file__ and "importlib" not in Path(file).parts:
            place = f"{file}:{traceback.tb_lineno}: "
        traceback = traceback.tb_next
    return f"{app} cannot be imported: {place}there is no module {error.name!r}"
