"""docs/bullmq-parity.md names everything that npm bullmq has, and only what is there on either side."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.bullworks.compat import parity_page
from tests.bullworks.compat.declarations import Declared, exported
from tests.bullworks.compat.node import FOLDER, Node
from tests.bullworks.compat.scenarios.differing import DIFFERENCES
from tests.bullworks.compat.scenarios.stricter import REFUSALS


@pytest.fixture
def declared(node: Node) -> dict[str, Declared]:
    return exported()


@pytest.fixture
def named() -> list[str]:
    return [name for row in parity_page.rows() for name in row.theirs]


def names_of(declared: dict[str, Declared], named: list[str]) -> set[str]:
    """Each export; and the members of those of which the page has members."""
    owners = {name.partition(".")[0] for name in named if "." in name}
    here = {name for row in parity_page.rows() if row.here for name in row.theirs}
    with_members = owners | {name for name in here if declared.get(name) and declared[name].kind != "enum"}
    return {*declared} | {
        f"{name}.{member}" for name in with_members if name in declared for member in declared[name].members
    }


def test_everything_of_npm_bullmq_is_on_the_page(declared: dict[str, Declared], named: list[str]) -> None:
    """What fails here after an upgrade is new: build it, or say why not."""
    assert sorted(names_of(declared, named) - set(named)) == []


def test_nothing_is_on_the_page_that_npm_bullmq_has_not(declared: dict[str, Declared], named: list[str]) -> None:
    assert sorted(set(named) - names_of(declared, named)) == []


def test_nothing_is_on_the_page_twice(named: list[str]) -> None:
    assert [name for name, count in Counter(named).items() if count > 1] == []


def test_what_is_said_to_be_here_is_here() -> None:
    names = {name for row in parity_page.rows() for name in row.here}
    assert len(names) > 200
    assert [problem for name in sorted(names) if (problem := parity_page.missing(name))] == []


def test_what_is_not_here_has_a_reason() -> None:
    assert [row.theirs for row in parity_page.rows() if not row.here and len(row.note) < 5] == []


def test_the_list_of_differences_is_that_of_the_scenarios() -> None:
    shown = {name: difference.why for name, difference in DIFFERENCES.items()}
    refused = {name: refusal.why for name, refusal in REFUSALS.items()}
    assert parity_page.differences() == {**shown, **refused}


def test_the_page_is_about_the_version_that_is_tested(node: Node) -> None:
    installed = json.loads((FOLDER / "node_modules" / "bullmq" / "package.json").read_text())["version"]
    title = parity_page.PAGE.read_text().splitlines()[0]
    assert re.findall(r"bullmq (\d+\.\d+)", title) == [installed.rpartition(".")[0]]


def test_the_page_is_checked_by_what_would_see_a_mistake() -> None:
    assert parity_page.missing("Queue.add") is None
    assert parity_page.missing("bullworks.redis.errors.ConnectionLostError") is None
    assert parity_page.missing("Queue.ad") == "Queue has no ad"
    assert parity_page.missing("Queu.add") == "Queu is not exported by bullworks.bullmq"
    assert parity_page.missing("Queue(prefixes)") == "Queue has no argument prefixes"
    assert parity_page.missing('Worker.on("complete")') == "Worker has no event complete"
    assert parity_page.missing("JobOptions.prioritie") == "JobOptions has no prioritie"


def test_declarations_are_read_as_the_compiler_reads_them(tmp_path: Path) -> None:
    (tmp_path / "index.d.ts").write_text("export * from './a';\nexport * from './folder';\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.d.ts").write_text("export { x as y, type Z } from './b';\n")
    (tmp_path / "a.d.ts").write_text(
        """
        /** A class { with: a comment } */
        export declare class Queue<T extends { a: 1 } = any> extends Base<T> implements I {
            readonly name: string; // public
            private secret: { nested: string };
            protected half(): void;
            _custom: number;
            constructor(name: string, opts?: { prefix: string; });
            static create<T = any>(queue: Queue, jobs: { name: string; }[]): Promise<Job<T>>;
            get length(): number;
            on<U extends keyof L>(event: U, listener: L[U]): this;
        }
        export interface Listener { 'waiting-children': (args: { jobId: string; }) => void; done?: () => void; }
        export type Options = { id: string; } & { ttl?: number; };
        export declare enum Code { First = -1, Second = 2 }
        export declare const LIMIT: number;
        """
    )
    found = exported(tmp_path)
    assert {name: set(one.members) for name, one in found.items()} == {
        "Queue": {"name", "create", "length", "on"},
        "Listener": {"waiting-children", "done"},
        "Options": {"id", "ttl"},
        "Code": {"First", "Second"},
        "LIMIT": set(),
        "y": set(),
        "Z": set(),
    }
