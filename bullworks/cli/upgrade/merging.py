"""Merges what a new version of Bullworks writes into a project with what the project made of the old version's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bullworks.cli.editing import Changes, Source
from bullworks.cli.failure import CommandError
from bullworks.cli.scaffold import Base
from bullworks.cli.upgrade.git import merge, python_files
from bullworks.cli.upgrade.renames import Rename, renamed

Outcome = Literal["new", "taken", "merged", "conflict", "removed", "kept", "renamed", "unread"]

REMARKS: Mapping[Outcome, str] = {
    "new": "it is new in this version",
    "taken": "you had not changed it",
    "merged": "you and Bullworks changed it, in different places",
    "conflict": "you and Bullworks changed the same lines: look for <<<<<<<",
    "removed": "Bullworks writes it no longer, and you had not changed it",
    "kept": "you changed or removed it, Bullworks the other way round: it is as you left it",
    "renamed": "it uses what has another name now",
    "unread": "it is not Python that can be read: what has another name now is not renamed in it",
}


@dataclass(frozen=True, slots=True)
class Merging:
    """Collects in `changes` what a project needs to get from its base to a newer one.

    Args:
        renames: what is called otherwise since the base's version.
    """

    changes: Changes
    base: Base
    newer: Base
    renames: tuple[Rename, ...] = ()

    def run(self) -> dict[str, Outcome]:
        """Collect all changes; returns what becomes of each file that is concerned.

        Raises:
            CommandError: git is missing, or a file cannot be read.
        """
        # In both of the merged sides first: else a rename would be a change of both, and a conflict.
        outcomes = self._rename_all()
        base = {file: self._renamed(file, text) or text for file, text in self.base.files.items()}
        for file in dict.fromkeys((*self.newer.files, *base)):
            outcome = self._merge(file, base.get(file), self.newer.files.get(file))
            if outcome is not None:
                outcomes[file] = outcome
        return outcomes

    def _merge(self, file: str, old: str | None, new: str | None) -> Outcome | None:
        mine = self.changes.text(file)
        if new in {old, mine}:
            return None
        if mine == old:
            self.changes.put(file, new)
            return "new" if old is None else "removed" if new is None else "taken"
        if mine is None or new is None:
            return "kept"
        merged, has_conflicts = merge(mine, old or "", new, f"Bullworks {self.newer.version}")
        self.changes.put(file, merged)
        return "conflict" if has_conflicts else "merged"

    def _rename_all(self) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        for file in python_files(self.changes.folder) if self.renames else []:
            before = self.changes.text(file) or ""
            after = self._renamed(file, before)
            if after is None:
                outcomes[file] = "unread"
            elif after != before:
                self.changes.put(file, after)
                outcomes[file] = "renamed"
        return outcomes

    def _renamed(self, file: str, text: str) -> str | None:
        """The text with all new names; None if it cannot be read as Python."""
        for rename in self.renames:
            if file.endswith(".py") and rename.old in text:
                try:
                    text = renamed(Source(file, text), rename)
                except CommandError:
                    return None
        return text
