"""Every example of docs/beyond-bullmq.md runs, and does what the page says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.bullworks.docs import checks_of_lifetimes, checks_of_limits
from tests.bullworks.docs.examples import ROOT, examples_of
from tests.bullworks.docs.stage import Stage

EXAMPLES = examples_of("docs/beyond-bullmq.md")
CHECKS = checks_of_lifetimes.checks.by_name | checks_of_limits.checks.by_name


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(CHECKS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", redis_url)
    monkeypatch.setenv("QUEUE_PREFIX", key_prefix)
    await CHECKS[example.name](Stage(example, redis_url, key_prefix))


def test_the_lines_for_node_are_those_that_its_tests_run() -> None:
    page = (ROOT / "docs/beyond-bullmq.md").read_text()
    (refuse_expired,) = re.findall(r"^```js\n(function refuseExpired.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert refuse_expired in (ROOT / "tests/bullworks/node/expiring_worker.mjs").read_text()
