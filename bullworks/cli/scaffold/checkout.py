"""The checkout that this Bullworks runs from, for projects that shall use it instead of a release."""

import tomllib
from pathlib import Path

from bullworks.cli.failure import CommandError

# They would mean something in a Makefile, or between the quotes of its shell.
_UNQUOTABLE = frozenset('"$#`\\\n')


def checkout_folder() -> Path:
    """Find the folder of the Bullworks checkout.

    Raises:
        CommandError: this Bullworks runs from an installed wheel, or the path cannot be written into a Makefile.
    """
    folder = Path(__file__).resolve().parents[3]
    if not _is_checkout(folder):
        raise CommandError(
            f"this Bullworks is installed in {folder} and is not a checkout",
            "Leave out --from-checkout, or run `python -m bullworks new` in the folder of a checkout.",
        )
    if _UNQUOTABLE & set(str(folder)):
        raise CommandError(
            f"the path of the checkout cannot be written into a Makefile: {folder}",
            "Move it to one without quotes, backslashes, $ and #.",
        )
    return folder


def _is_checkout(folder: Path) -> bool:
    try:
        with (folder / "pyproject.toml").open("rb") as file:
            return bool(tomllib.load(file)["project"]["name"] == "bullworks")
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return False
