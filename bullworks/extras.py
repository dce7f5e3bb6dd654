"""The packages that only some parts need, and the error of a part whose packages are not installed."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from bullworks.errors import FactError

EXTRAS: Mapping[str, Mapping[str, str]] = {
    "board": {"jinja2": "jinja2", "starlette": "starlette", "uvicorn": "uvicorn"},
    "cli": {"rich": "rich", "typer": "typer"},
    "encryption": {"cryptography": "cryptography"},
    "fastapi": {"fastapi": "fastapi", "starlette": "starlette", "uvicorn": "uvicorn"},
    "metrics": {"prometheus-client": "prometheus_client"},
    "otel": {"opentelemetry-api": "opentelemetry"},
    "outbox": {"greenlet": "greenlet", "sqlalchemy": "sqlalchemy"},
    "reload": {"watchfiles": "watchfiles"},
    "testing": {"pytest": "pytest", "pytest-asyncio": "pytest_asyncio"},
    "web": {"starlette": "starlette", "uvicorn": "uvicorn"},
}
"""Of each extra that a part cannot do without, its packages and what they are imported as."""


@dataclass(eq=False)
class MissingExtraError(FactError, ImportError):
    """A part of Bullworks was used whose optional packages are not installed.

    Attributes:
        extra: the extra that brings them, as in `pip install 'bullworks[board]'`.
        part: what was used, as in "the board".
        packages: what is missing.
    """

    extra: str
    part: str
    packages: tuple[str, ...]

    def __str__(self) -> str:
        *others, last = self.packages
        listed = f"{', '.join(others)} and {last}" if others else last
        are = "are" if others else "is"
        return f"{self.part} needs {listed}, which {are} not installed: pip install 'bullworks[{self.extra}]'"


def require(extra: str, part: str) -> None:
    """Check that the packages of an extra are installed, without importing them.

    Args:
        extra: one of EXTRAS.
        part: what needs them, in the singular, for the error.

    Raises:
        MissingExtraError: at least one is not.
    """
    missing = tuple(package for package, module in EXTRAS[extra].items() if find_spec(module) is None)
    if missing:
        raise MissingExtraError(extra, part, missing)
