"""`upgrade`: what a newer Bullworks writes into new projects, for this one."""

import re
from typing import Annotated

import typer

from bullworks.cli.editing import Changes
from bullworks.cli.failure import EXIT_FAILED, CommandError
from bullworks.cli.output import say
from bullworks.cli.scaffold import BASE_FILE, Base
from bullworks.cli.upgrade.changelog import changelog_since
from bullworks.cli.upgrade.git import refuse_uncommitted
from bullworks.cli.upgrade.merging import REMARKS, Merging, Outcome
from bullworks.cli.upgrade.renames import RENAMES
from bullworks.settings import project_folder


def upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes as a diff, and write nothing.")] = False,
) -> None:
    """Bring this project's own files up to the Bullworks that is installed; your edits stay.

    Shows the changelog since the last upgrade, renames what has another name now, and merges what `bullworks new`
    writes today with what you made of it. All must be committed before. Exit code 1 if there are conflicts to solve.

    Example: make upgrade && .venv/bin/bullworks upgrade
    """
    folder = project_folder()
    base = Base.read(folder)
    newer = Base.installed(base.project)
    if newer == base:
        print(f"Nothing to do: this project has what Bullworks {base.version} writes, and your edits.")
        return
    if _numbers(base.version) > _numbers(newer.version):
        raise CommandError(
            f"this project was upgraded to Bullworks {base.version} already, and {newer.version} is installed",
            "Install that one or a later one first: make upgrade.",
        )
    if not dry_run:
        refuse_uncommitted(folder)
    changes = Changes(folder)
    renames = tuple(each for each in RENAMES if _numbers(each.since) > _numbers(base.version))
    outcomes = Merging(changes, base, newer, renames).run()
    if dry_run:
        print(changes.diff(), end="")
        return
    changes.put(BASE_FILE, newer.text())
    changes.write()
    _report(base, newer, outcomes)
    if "conflict" in outcomes.values():
        raise typer.Exit(EXIT_FAILED)


def _report(base: Base, newer: Base, outcomes: dict[str, Outcome]) -> None:
    for line in changelog_since(base.version).splitlines():
        say(line)
    print(f"\nFrom Bullworks {base.version} to {newer.version}:")
    for file, outcome in outcomes.items():
        say(f"  {outcome:<8}  {file}: {REMARKS[outcome]}")
    conflicts = list(outcomes.values()).count("conflict")
    solve = f"solve {conflicts} conflict{'s' * (conflicts > 1)}, " if conflicts else ""
    print(f"\nNow {solve}look at `git diff`, run `make format check test`, and commit.")


def _numbers(version: str) -> list[int]:
    """The numbers of a version by which it is compared; what follows them, as in 1.0.0rc1, is not."""
    release = re.match(r"[\d.]*", version)
    return [int(part) for part in (release[0] if release else "").split(".") if part]
