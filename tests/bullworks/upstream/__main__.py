"""Print what another release of npm bullmq changes for us: `python -m tests.bullworks.upstream 6.5.4`."""

from __future__ import annotations

import argparse
import sys

from tests.bullworks.upstream import suite
from tests.bullworks.upstream.changes import lua_changes, name_changes
from tests.bullworks.upstream.release import Release, ReleaseError, installed, pinned


def main() -> int:
    """Exit with 1 where a test is red or the run broke off, with 2 where a release cannot be installed."""
    parser = argparse.ArgumentParser(prog="make upstream", description=__doc__)
    parser.add_argument("version", help="the release to compare with, such as 6.5.4")
    parser.add_argument("--since", help="the release before it; default: the one that our tests are pinned to")
    parser.add_argument("--no-tests", action="store_true", help="print names and Lua only")
    given, for_pytest = parser.parse_known_args()
    try:
        before = installed(given.since) if given.since else pinned()
        after = installed(given.version)
    except ReleaseError as error:
        print(f"make upstream: {error}", file=sys.stderr)
        return 2
    _print_changes(before, after)
    return 0 if given.no_tests else _print_suite(after, for_pytest)


def _print_changes(before: Release, after: Release) -> None:
    print(f"npm bullmq {before.version} -> {after.version}")
    names = name_changes(before.declarations, after.declarations)
    _print_list("New names", names.new)
    _print_list("Gone names", names.gone)
    _print_list("Lua files, in lines", [str(change) for change in lua_changes(before.lua, after.lua)])


def _print_suite(after: Release, for_pytest: list[str]) -> int:
    print(f"\nOurs against {after.version} ({suite.SUITE}):", flush=True)
    outcome = suite.run(after.folder, for_pytest)
    print(f"  {outcome.summary}")
    _print_list("Red", [f"{test}: {why}" if why else test for test, why in outcome.red])
    return 0 if outcome.passed else 1


def _print_list(title: str, lines: list[str]) -> None:
    print(f"\n{title}: {len(lines)}")
    for line in lines:
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
