"""The reference of options: names, meanings, types and defaults, from the classes and tables that the code "
"itself uses."""

import dataclasses
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from bullworks.bullmq import JobOptions, Queue, WorkerOptions
from bullworks.bullmq.options.job import CHECKS
from bullworks.bullmq.wire.job_options import ROWS, public_name
from bullworks.bullmq.worker.options import WorkerOpts
from bullworks.workers import BullOptions
from docs.hooks.markdown import table

_ENTRY = re.compile(r"^(?P<names>\w+(?:,\s+\w+)*): (?P<meaning>.*)$", re.DOTALL)


def option_page() -> str:
    """Write the page of all options: of jobs, of queues, of workers, of BullModule."""
    return "\n\n".join(
        [
            "# Options",
            (
                "Made from the code that checks them. Durations are whole milliseconds or a `timedelta`; None is "
                "the same as leaving an option out. An unknown name, a wrong type and a value out of range are an "
                "`InvalidOptionError`, at once."
            ),
            "## Of jobs",
            (
                "`Queue.add(name, data, **options)`; `default_job_options` of a queue or of `BullModule.for_root()`"
                " has the same."
            ),
            _job_options(),
            "## Of queues",
            "`Queue(name, **options)`, and `BullModule.register_queue(name, **options)`.",
            _queue_options(),
            "## Of workers",
            "`Worker(name, handler, **options)`, and `@processor(name, **options)`.",
            _worker_options(),
            "## Of BullModule",
            "`BullModule.for_root(**options)`.",
            table(
                ("Option", "Type", "Meaning"),
                [
                    (f"`{name}`", f"`{kind}`", meaning)
                    for name, kind, meaning in _options(BullOptions, _meanings(BullOptions, "Attributes"))
                ],
            ),
        ]
    )


def _job_options() -> str:
    meanings = _meanings(JobOptions, "Attributes")
    rows = [
        (f"`{name}`", f"`{kind}`", _stored(name), meaning) for name, kind, meaning in _options(JobOptions, meanings)
    ]
    if unchecked := set(JobOptions.__annotations__) - set(CHECKS):
        raise LookupError(f"options of jobs that nothing checks: {', '.join(sorted(unchecked))}")
    return table(("Option", "Type", "In Redis", "Meaning"), rows)


def _stored(option: str) -> str:
    """What an option is called in a job's hash in Redis."""
    return ", ".join(f"`{row.stored or public_name(option)}`" for row in ROWS if row.name == option)


def _queue_options() -> str:
    meanings = _meanings(Queue, "Args")
    parameters = list(inspect.signature(Queue.__init__).parameters.values())[1:]
    return table(
        ("Option", "Type", "Default", "Meaning"),
        [
            (f"`{each.name}`", f"`{_type_name(each.annotation)}`", _default(each.default), meanings[each.name])
            for each in parameters
        ],
    )


def _worker_options() -> str:
    defaults = {field.name: field.default for field in dataclasses.fields(WorkerOpts)}
    rows = []
    for name, kind, meaning in _options(WorkerOptions, _meanings(WorkerOptions, "Attributes")):
        in_ms = f"{name}_ms"
        default = f"{defaults[in_ms]:,} ms" if defaults.get(in_ms) is not None else _default(defaults.get(name))
        rows.append((f"`{name}`", f"`{kind}`", default, meaning))
    return table(("Option", "Type", "Default", "Meaning"), rows)


def _options(options: Any, meanings: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Each option of a TypedDict with its type and meaning; one that its docstring leaves out is a LookupError."""
    for name, annotation in get_type_hints(options).items():
        if name not in meanings:
            raise LookupError(f"{options.__name__}: say what `{name}` means, in the docstring")
        yield name, _type_name(annotation), meanings[name]


def _meanings(documented: Any, section: str) -> dict[str, str]:
    """What a section of a docstring says of each name; names with commas between them share their meaning."""
    doc = inspect.getdoc(documented) or ""
    text = doc.partition(f"{section}:\n")[2]
    body = re.split(r"^\S", text, maxsplit=1, flags=re.MULTILINE)[0]
    found: dict[str, str] = {}
    for entry in re.split(r"(?<!,)\n(?=    \w)", "\n" + body):
        match = _ENTRY.match(" ".join(entry.split()))
        if match is not None:
            found |= dict.fromkeys(re.split(r",\s+", match["names"]), match["meaning"])
    return found


def _type_name(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    short = re.sub(r"\b(?:[a-z_]\w*\.)+", "", text)
    return short.replace("int | timedelta", "Duration").replace("~", "")


def _default(value: object) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    return "" if value is None or dataclasses.is_dataclass(value) else f"`{value!r}`"
