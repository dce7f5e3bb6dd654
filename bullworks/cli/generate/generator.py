"""Generator: writes the code and the test of one part of a service, and registers it where it belongs."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from string import Template

from bullworks.cli.editing import (
    Changes,
    Source,
    bound_names,
    fitted,
    with_entry,
    with_exported,
    with_import,
    with_queue,
)
from bullworks.cli.editing.module_lists import ListName
from bullworks.cli.failure import CommandError
from bullworks.cli.generate.name import Name
from bullworks.cli.generate.service_folder import ServiceFolder

_WORKERS_MODULE = "WorkersModule"
_BULL_MODULE = "BullModule"

# A module and a name in it.
Imported = tuple[str, str]


class Generator:
    """Collects the changes that a part of a service needs; nothing is written.

    Each method raises CommandError if a file exists that it would write, or if what it would edit cannot be edited.
    """

    def __init__(self, service: ServiceFolder) -> None:
        self.service = service
        self.changes = Changes(service.folder)

    def module(self, name: Name) -> str:
        """A feature: a module with a service, imported by the root module; returns the file of its test."""
        if name.is_keyword:
            raise CommandError(f"{name.snake!r} is a word of Python, and cannot be imported", "Choose another name.")
        like = self.service.feature_like(name)
        if like is not None and like != name.snake:
            raise CommandError(
                f"there is the module {like!r}, of which {name.snake!r} is the singular or the plural",
                "Choose another name; nothing was written.",
            )
        folder = f"{self.service.package}/modules/{name.snake}"
        for file in ("__init__", "module", "service"):
            self._create(f"{folder}/{file}.py", f"module/{file}.py", name)
        self._register(
            self.service.root_file,
            self.service.root_module,
            "imports",
            f"{name.camel}Module",
            [(self._place("modules", name.snake), f"{name.camel}Module")],
        )
        return self._create_test(name.snake, "module", name)

    def worker(self, name: Name) -> str:
        """A queue and its worker, in WorkersModule; returns the file of its test.

        If a feature has the same name, and its own service, then the worker asks for that service.
        """
        feature = self.service.feature_like(name)
        service = None if feature is None else self._service_of(feature)
        values = {"feature": feature or "", "service": service or "", "queue": name.kebab}
        template = "worker/worker.py" if service is None else "worker/worker_of_feature.py"
        self._provide(self._create_worker(name, "worker", template, values))
        self._edit(self.service.workers_file, lambda source: with_queue(source, _WORKERS_MODULE, name.kebab))
        self._edit(self.service.workers_file, _with_bull_module)
        if feature is not None and service is not None:
            module = f"{_camel(feature)}Module"
            place = self._place("modules", feature)
            self._register(self.service.workers_file, _WORKERS_MODULE, "imports", module, [(place, module)])
        return self._create_test(f"{name.snake}_worker", "worker", name, values)

    def cron(self, name: Name, schedule: str) -> str:
        """A cron that the fleet shares, in WorkersModule; returns the file of its test.

        Args:
            schedule: its expression, which is valid.
        """
        values = {"schedule": schedule}
        self._provide(self._create_worker(name, "cron", "cron/cron.py", values))
        return self._create_test(f"{name.snake}_cron", "cron", name, values)

    def provider(self, name: Name, feature: str | None) -> str:
        """A service of a feature, provided and exported by its module; returns the file of its test.

        Args:
            feature: the feature's name; None means the one of the service's own name.
        """
        found = self.service.feature_like(name if feature is None else Name.parse(feature, "module"))
        if found is None:
            raise self._no_feature(name, feature)
        folder = f"{self.service.package}/modules/{found}"
        file = "service" if name.snake == found else f"{name.snake}_service"
        values = {"feature": found, "file": file}
        provided = f"{name.camel}Service"
        imported = (self._place("modules", f"{found}.{file}"), provided)
        self._create(f"{folder}/{file}.py", "service/service.py", name, values)
        for list_name in ("providers", "exports"):
            self._register(f"{folder}/module.py", f"{_camel(found)}Module", list_name, provided, [imported])
        self._export(f"{folder}/__init__.py", imported)
        return self._create_test(f"{name.snake}_service", "service", name, values)

    def interceptor(self, name: Name) -> str:
        """An interceptor around all jobs, in WorkersModule; returns the file of its test."""
        place, cls = self._create_worker(name, "interceptor", "interceptor/interceptor.py")
        imported = [("bullworks.core", "provide"), ("bullworks.workers", "APP_INTERCEPTOR"), (place, cls)]
        entry = f"provide(APP_INTERCEPTOR, use_class={cls})"
        self._register(self.service.workers_file, _WORKERS_MODULE, "providers", entry, imported)
        return self._create_test(f"{name.snake}_interceptor", "interceptor", name)

    def _create_worker(self, name: Name, kind: str, template: str, values: dict[str, str] | None = None) -> Imported:
        """Create a class in `workers/`; returns what to import."""
        file, cls = f"{name.snake}_{kind}", f"{name.camel}{kind.capitalize()}"
        self._create(f"{self.service.package}/workers/{file}.py", template, name, values)
        return self._place("workers", file), cls

    def _provide(self, provided: Imported) -> None:
        """Have WorkersModule provide a class."""
        self._register(self.service.workers_file, _WORKERS_MODULE, "providers", provided[1], [provided])

    def _create_test(self, file: str, kind: str, name: Name, values: dict[str, str] | None = None) -> str:
        path = f"tests/test_{file}.py"
        self._create(path, f"{kind}/test.py", name, values)
        return path

    def _create(self, file: str, template: str, name: Name, values: dict[str, str] | None = None) -> None:
        text = files("bullworks.cli.generate").joinpath("templates", f"{template}.txt").read_text("utf-8")
        text = Template(text).substitute(
            app=self.service.package,
            root=self.service.root_module,
            root_place=self.service.root_file.removesuffix(".py").replace("/", "."),
            snake=name.snake,
            camel=name.camel,
            kebab=name.kebab,
            **(values or {}),
        )
        self.changes.create(file, fitted(Source(file, text), "", self.service.line_length()))

    def _register(self, file: str, module: str, list_name: ListName, entry: str, imported: Sequence[Imported]) -> None:
        # The list first: what is wrong with it is told by the line that it has in the file.
        self._edit(file, lambda source: with_entry(source, module, list_name, entry))
        for place, name in imported:
            self._edit(file, partial(with_import, module=place, name=name))

    def _export(self, file: str, imported: Imported) -> None:
        """Have a package export a name, if it says in `__all__` what it exports."""
        place, name = imported
        before = self.changes.text(file)
        self._edit(file, lambda source: with_exported(source, name))
        if self.changes.text(file) != before:
            self._edit(file, lambda source: with_import(source, place, name))

    def _edit(self, file: str, edit: Callable[[Source], str]) -> None:
        text = self.changes.text(file)
        if text is None:
            raise CommandError(f"there is no {file}", "What is generated is registered there; nothing was written.")
        edited = edit(Source(file, text))
        self.changes.put(file, fitted(Source(file, edited), text, self.service.line_length()))

    def _place(self, *parts: str) -> str:
        return ".".join((self.service.package, *parts))

    def _service_of(self, feature: str) -> str | None:
        """The feature's service of the same name, if its package exports one."""
        text = self.changes.text(f"{self.service.package}/modules/{feature}/__init__.py") or ""
        service = f"{_camel(feature)}Service"
        return service if re.search(rf"""["']{service}["']""", text) else None

    def _no_feature(self, name: Name, feature: str | None) -> CommandError:
        if feature is not None:
            return CommandError.unknown("module", feature, self.service.features())
        known = ", ".join(self.service.features()) or "none yet"
        return CommandError(
            f"{name.camel}Service belongs to no module",
            f"Name its module with --module ({known}), or generate one with a service: generate module {name.snake}",
        )


def _with_bull_module(source: Source) -> str:
    """The text with an import of what registers queues, wherever it comes from."""
    is_imported = _BULL_MODULE in bound_names(source)
    return source.text if is_imported else with_import(source, "bullworks.workers", _BULL_MODULE)


def _camel(feature: str) -> str:
    return Name.parse(feature, "module").camel
