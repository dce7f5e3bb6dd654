"""`bullworks new`: a project of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from bullworks.cli.scaffold import FILES, Project, checkout_folder, project_name, write_project

_BOARD = "http://127.0.0.1:3000/admin/queues"


def new(
    folder: Annotated[Path, typer.Argument(help="The folder, new or empty. Its last part becomes the project's name.")],
    from_checkout: Annotated[
        bool,
        typer.Option(
            "--from-checkout",
            help="Have the project install the checkout that this command runs from, editable, "
            "and not the Bullworks that pip finds.",
        ),
    ] = False,
) -> None:
    """Write a new project: a service with a feature, its worker, a cron and tests.

    Example: bullworks new shop
    """
    project = Project(name=project_name(folder), checkout=checkout_folder() if from_checkout else None)
    lines = write_project(project, folder)
    print(_next_steps(project, folder, lines))


def _next_steps(project: Project, folder: Path, lines: int) -> str:
    steps = [
        ("make run", f"starts it, with an embedded server; its queues are at {_BOARD}"),
        ("make test", "takes seconds and needs no server"),
    ]
    if folder.resolve() != Path.cwd():
        steps.insert(0, (f"cd {folder}", ""))
    width = max(len(step) for step, _ in steps)
    text = [f"{project.name} is written: {len(FILES)} files, {lines} lines."]
    if project.checkout is not None:
        text.append(f"Its Bullworks is the checkout {project.checkout}: BULLWORKS in the Makefile says so.")
    text += ["", *(f"  {step:<{width}}  {what}".rstrip() for step, what in steps), ""]
    text += [
        "Begin in app/modules/greetings and app/workers/greetings_worker.py. README.md says where things are and how",
        "to add a feature of your own.",
    ]
    return "\n".join(text)
