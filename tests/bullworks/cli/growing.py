"""A new project that has grown: what `generate` writes in it is held to what holds for the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bullworks.cli.generate.generator import Generator
from bullworks.cli.generate.name import Name
from bullworks.cli.generate.service_folder import ServiceFolder


def grow(project: Path) -> None:
    """Generate twenty modules, and two of everything else; some have the longest name that is allowed."""
    service = ServiceFolder(project, "app", "app/app_module.py", "AppModule")

    def generate(name: str, part: Callable[[Generator, Name], str]) -> None:
        generator = Generator(service)
        part(generator, Name.parse(name, "part"))
        generator.changes.write()

    for name in (*(f"orders{number}" for number in range(19)), "o" * 40):
        generate(name, Generator.module)
    for name in ("orders1", "w" * 40):
        generate(name, Generator.worker)
        generate(name, lambda generator, name: generator.cron(name, "0 3 * * *"))
        generate(name, lambda generator, name: generator.provider(name, "orders2"))
        generate(name, Generator.interceptor)
