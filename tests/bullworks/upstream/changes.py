"""What differs between two releases of npm bullmq: names of its API, and its Lua by file."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from tests.bullworks.compat.declarations import exported


@dataclass(frozen=True, slots=True)
class NameChanges:
    """Exports as `Queue`, members (methods, options, events) as `Queue.add`; sorted."""

    new: list[str]
    gone: list[str]


@dataclass(frozen=True, slots=True)
class LuaChange:
    """One Lua file that is not the same; `status` is "new", "gone" or "changed", the counts are lines."""

    file: str
    status: str
    added: int
    removed: int

    def __str__(self) -> str:
        return f"{self.status:7} +{self.added:<4} -{self.removed:<4} {self.file}"


def name_changes(before: Path, after: Path) -> NameChanges:
    """Compare what two folders of type declarations export.

    An export that is new or gone is named once, without its members.
    """
    old, new = _names(before), _names(after)
    return NameChanges(_fewest(new - old), _fewest(old - new))


def lua_changes(before: Path, after: Path) -> list[LuaChange]:
    """Compare two folders of Lua scripts: includes first, because a change of one changes all that include it."""
    old, new = _lua(before), _lua(after)
    found: list[LuaChange] = []
    for file in sorted({*old, *new}, key=lambda name: (not name.startswith("includes/"), name)):
        added, removed = _counts(old.get(file, []), new.get(file, []))
        if added or removed:
            status = "new" if file not in old else "gone" if file not in new else "changed"
            found.append(LuaChange(file, status, added, removed))
    return found


def _names(declarations: Path) -> set[str]:
    declared = exported(declarations)
    return {*declared} | {f"{name}.{member}" for name, one in declared.items() for member in one.members}


def _fewest(names: set[str]) -> list[str]:
    return sorted(name for name in names if "." not in name or name.partition(".")[0] not in names)


def _lua(folder: Path) -> dict[str, list[str]]:
    return {file.relative_to(folder).as_posix(): file.read_text().splitlines() for file in folder.rglob("*.lua")}


def _counts(old: list[str], new: list[str]) -> tuple[int, int]:
    """Lines that came, and lines that went."""
    steps = [step for step in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if step[0] != "equal"]
    return sum(step[4] - step[3] for step in steps), sum(step[2] - step[1] for step in steps)
