"""Types for the fields of settings classes: durations, lists, folders, URLs."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from bullworks.settings.folder import project_folder

DAY_MS = 24 * 60 * 60 * 1000
"""The longest a service waits for anything: no timeout is sensibly longer than a day."""

_HTTP_SCHEMES = ("http", "https")


def url_scheme(url: SecretStr, schemes: tuple[str, ...]) -> SecretStr:
    """Validate a URL's scheme. No part of the URL goes into the error, as any may be a password.

    Raises:
        ValueError: it has no scheme, or another one.
    """
    text = url.get_secret_value()
    if "://" not in text or urlsplit(text).scheme.lower() not in schemes:
        raise ValueError("it does not begin with " + ", ".join(f"{scheme}://" for scheme in schemes))
    return url


def _http_url(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url_scheme(url, _HTTP_SCHEMES).get_secret_value())
        has_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError("it is not a URL as in https://api.example.com/path") from None
    if not has_address:
        raise ValueError("it names no host")
    return url


def _split(value: Any) -> Any:
    """Split `ticker,candles`; a sequence given by code stays as it is."""
    if not isinstance(value, str):
        return value
    names = [name.strip() for name in value.split(",")]
    if "" in names:
        raise ValueError("there is an empty name between the commas")
    return tuple(dict.fromkeys(names))


def _absolute(path: Path) -> Path:
    return project_folder() / path.expanduser()


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


Milliseconds = Annotated[int, Field(gt=0, le=DAY_MS)]
"""Whole milliseconds, from 1 to a day."""
Folder = Annotated[Path, AfterValidator(_absolute)]
"""An absolute path; a relative one starts from the project's folder. Needs `validate_default=True` with a default."""
Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Names with commas between them, as in `ticker,candles`."""
HttpUrl = Annotated[SecretStr, AfterValidator(_http_url)]
"""An http or https URL, kept out of logs and reprs: a key may be in it."""
UpperCase = BeforeValidator(_upper)
"""In `Annotated`: the text in upper case, so that a Literal matches whatever the case."""
LowerCase = BeforeValidator(_lower)
"""In `Annotated`: the text in lower case, so that a Literal matches whatever the case."""
