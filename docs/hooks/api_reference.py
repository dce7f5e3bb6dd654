"""The reference of the API and of errors: the public names of each package, where their docstrings are."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from docs.hooks.markdown import table

PACKAGES = {
    "bullmq": "the engine: queues, jobs, workers, flows, events",
    "workers": "processors and queues in modules",
    "schedule": "crons, intervals, timeouts",
    "locks": "distributed locks",
    "limits": "limits that processes share",
    "outbox": "jobs in database transactions",
    "core": "modules, providers, the application",
    "settings": "settings classes",
    "web": "the HTTP server and routes",
    "board": "the board",
    "health": "health checks and metrics",
    "job_api": "jobs over HTTP",
    "fastapi": "providers in FastAPI",
    "testing": "harnesses and fixtures",
    "cron_expression": "cron expressions",
    "redis": "connections",
}
"""Packages of the framework, and what each is about."""


def api_page(package: str) -> str:
    """Write the page of a package: every public class and function, for mkdocstrings to fill in."""
    module = f"bullworks.{package}"
    parts = [f"# {module}", f"`from {module} import ...`: {PACKAGES[package]}."]
    for title, wanted in (("Classes", inspect.isclass), ("Functions", inspect.isroutine)):
        found = [f"::: {thing.__module__}.{thing.__qualname__}" for thing in _public(module) if wanted(thing)]
        if found:
            parts += [f"## {title}", *found]
    return "\n\n".join(parts)


def error_page() -> str:
    """Write the page of all errors, by package."""
    parts = [
        "# Errors",
        (
            "Made from the code. An error says what happened, to which job or provider, and the way out; its facts "
            "are attributes. By message: [Troubleshooting](../how-to/troubleshooting.md)."
        ),
    ]
    for package in PACKAGES:
        module = f"bullworks.{package}"
        rows = [
            (f"`{thing.__name__}`", f"`{thing.__base__.__name__}`", _first_line(thing))
            for thing in _public(module)
            if inspect.isclass(thing) and issubclass(thing, BaseException)
        ]
        if rows:
            parts += [f"## {module}", table(("Error", "Is a", "Means"), rows)]
    return "\n\n".join(parts)


def _public(module: str) -> Iterator[Any]:
    """The public names of a package that are defined in this project, in the order of the alphabet."""
    package = import_module(module)
    for name in sorted(package.__all__):
        thing = getattr(package, name)
        is_documented = inspect.isclass(thing) or inspect.isroutine(thing)
        if is_documented and thing.__module__.startswith("bullworks.") and thing.__name__ == name:
            yield thing


def _first_line(thing: type) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0]
