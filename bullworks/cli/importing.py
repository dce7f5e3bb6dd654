"""Imports what a name says, `package.module:name`; what is missing is said with the line that wants it."""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from bullworks.cli.failure import CommandError


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage while the block imports, nor ever what it has made: modules stay.

    To search them over and over takes a tenth of a start, and later each full collection would hold the loop up for it.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_enabled:
            gc.enable()


def import_object(place: str) -> Any:
    """Import the object that `package.module:name` names.

    Raises:
        CommandError: there is no such module, or it has no such name; says which line to look at.
    """
    module_name, _, name = place.partition(":")
    try:
        with nullcontext() if module_name in sys.modules else uncollected():
            module = importlib.import_module(module_name)
        return getattr(module, name)
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
