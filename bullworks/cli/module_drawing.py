"""Draws modules: as a tree for a terminal, as a Mermaid diagram for a page."""

from collections.abc import Iterator, Sequence
from typing import Any

from bullworks.cli.module_outline import ModuleOutline


def tree(modules: Sequence[ModuleOutline]) -> Iterator[str]:
    """Draw the module tree as text lines; a module's content is listed at its first mention."""
    by_number = {module.number: module for module in modules}
    drawn: set[int] = set()

    def draw(module: ModuleOutline, lead: str, below: str) -> Iterator[str]:
        if module.number in drawn:
            yield f"{lead}{module.name}  (above)"
            return
        drawn.add(module.number)
        yield f"{lead}{module.name}{'  (global)' if module.is_global else ''}"
        imported = [by_number[number] for number in module.imports]
        rail = "│  " if imported else "   "
        for title, text in _details(module):
            yield f"{below}{rail}{title:<11}{text}"
        for index, each in enumerate(imported):
            is_last = index == len(imported) - 1
            yield from draw(each, f"{below}{'└─ ' if is_last else '├─ '}", f"{below}{'   ' if is_last else '│  '}")

    return draw(modules[-1], "", "")


def mermaid(modules: Sequence[ModuleOutline]) -> Iterator[str]:
    """Draw a Mermaid flowchart: modules and imports, queues with their modules and workers, schedules."""
    yield "flowchart TD"
    queues: dict[str, str] = {}
    for module in reversed(modules):
        rows = [module.name, *(_with_remarks(provider) for provider in module.providers)]
        opening, closing = ("[[", "]]") if module.is_global else ("[", "]")
        yield f'  m{module.number}{opening}"{"<br/>".join(_escape_label(row) for row in rows)}"{closing}'
    for module in reversed(modules):
        for number in module.imports:
            yield f"  m{module.number} --> m{number}"
        for queue in module.queues:
            if queue["name"] not in queues:
                queues[queue["name"]] = f"q{len(queues)}"
                yield f'  {queues[queue["name"]]}[("{_escape_label(queue["name"])}")]'
            yield f"  m{module.number} --- {queues[queue['name']]}"
    for module in reversed(modules):
        for user in (*module.processors, *module.listeners):
            if user["queue"] in queues:
                verb = "processes" if user in module.processors else "hears"
                yield f'  m{module.number} -. "{_escape_label(user["class"])} {verb}" .-> {queues[user["queue"]]}'
        for index, scheduled in enumerate(module.schedules):
            name = f"s{module.number}_{index}"
            text = f"{scheduled['class']}.{scheduled['method']} {scheduled['schedule']}{_sharing(scheduled)}"
            yield f'  {name}(["{_escape_label(text)}"]) --- m{module.number}'


def _details(module: ModuleOutline) -> Iterator[tuple[str, str]]:
    """What a module has, a line a kind, or a line each."""
    if module.providers:
        yield "providers", ", ".join(_with_remarks(provider) for provider in module.providers)
    if module.exports:
        yield "exports", ", ".join(module.exports)
    for queue in module.queues:
        yield "queue", queue["name"] + (f"  (config_key {queue['config_key']})" if queue["config_key"] else "")
    for producer in module.flow_producers:
        yield "flows", producer["name"]
    for processor in module.processors:
        yield "processor", _processor(processor)
    for listener in module.listeners:
        yield "listener", f"{listener['class']} hears {listener['queue']}"
    for scheduled in module.schedules:
        yield "schedule", f"{scheduled['class']}.{scheduled['method']}  {scheduled['schedule']}{_sharing(scheduled)}"


def _processor(processor: dict[str, Any]) -> str:
    jobs = f" ({', '.join(processor['jobs'])})" if processor["jobs"] else ""
    pool = f", {processor['process_pool']} processes" if processor["process_pool"] else ""
    per_job = ", one for each job" if processor["scope"] == "request" else ""
    return (
        f"{processor['class']} processes {processor['queue']}{jobs} as worker {processor['worker']}, "
        f"concurrency {processor['concurrency']}{pool}{per_job}"
    )


def _sharing(scheduled: dict[str, Any]) -> str:
    """Whether a cron is one run a tick in the fleet: known, or decided at the start."""
    match scheduled["distributed"]:
        case True:
            return ", distributed"
        case False:
            return ""
        case at_start:
            return f", distributed={at_start}"


def _with_remarks(provider: dict[str, Any]) -> str:
    remarks = [] if provider["kind"] == "class" else [provider["kind"]]
    if provider["scope"] != "singleton":
        remarks.append(provider["scope"])
    if provider["lazy"]:
        remarks.append("lazy")
    return f"{provider['token']} ({', '.join(remarks)})" if remarks else str(provider["token"])


def _escape_label(text: str) -> str:
    """For a label between double quotes: Mermaid reads entities with # in place of &."""
    return text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
