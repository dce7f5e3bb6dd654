"""What `make docs` makes of pages: links as the site has them, and pages generated from the code."""

from __future__ import annotations

import re

import pytest

from app.app_module import AppModule
from bullworks.bullmq import JobOptions, WorkerOptions
from bullworks.core import create_application
from bullworks.workers import BullOptions
from docs.hooks.api_reference import PACKAGES, api_page
from docs.hooks.cli_reference import cli_page
from docs.hooks.generated import GENERATED
from docs.hooks.links import ready_for_site
from docs.hooks.option_reference import option_page
from docs.hooks.settings_reference import settings_page
from tests.bullworks.docs.examples import ROOT

ON_SITE = {"README.md": "index.md", "docs/workers.md": "workers.md", "docs/guides/celery.md": "guides/celery.md"}
EXISTING = {*ON_SITE, "app/app_module.py"}


@pytest.mark.parametrize(
    ("source", "text", "on_site"),
    [
        ("README.md", "[a](docs/workers.md#b) ![](docs/workers.md)", "[a](workers.md#b) ![](workers.md)"),
        ("docs/guides/celery.md", "[the `a` [b]](../../README.md)", "[the `a` [b]](../index.md)"),
        ("docs/workers.md", "[the module](../app/app_module.py#L3)", "the module"),
        ("docs/workers.md", "[a](no.md) [b](#c) [d](https://e.f)", "[a](no.md) [b](#c) [d](https://e.f)"),
        ("README.md", "```text\n[a](docs/workers.md)\n- b\n```", "```text\n[a](docs/workers.md)\n- b\n```"),
        ("README.md", "Two:\n- a\n  - b\n", "Two:\n\n- a\n    - b\n"),
    ],
)
def test_a_page_for_github_is_made_ready_for_the_site(source: str, text: str, on_site: str) -> None:
    assert ready_for_site(text, source, ON_SITE.get, EXISTING.__contains__) == on_site


@pytest.mark.parametrize("page", [page for page in GENERATED if "/api/" not in page])
def test_a_page_from_the_code_has_a_title_and_whole_tables(page: str) -> None:
    text = GENERATED[page]()
    assert text.startswith("# ")
    rows = [re.sub(r"\\\|", "", line) for line in text.splitlines() if line.startswith("|")]
    assert len(rows) > 10
    assert {row.count("|") for row in rows} <= {4, 5}


def test_every_option_stands_in_the_reference_with_type_and_meaning() -> None:
    text = option_page()
    listed = re.findall(r"^\| `(\w+)` \| `.+?` \|.* [^|]+ \|$", text, re.MULTILINE)
    assert {*JobOptions.__annotations__, *WorkerOptions.__annotations__, *BullOptions.__annotations__} <= set(listed)
    assert "| `lock_duration` | `Duration` | 30,000 ms |" in text
    assert "| `keep_logs` | `int` | `kl` |" in text


def test_every_variable_and_every_command_stands_in_the_reference() -> None:
    settings, cli = settings_page(), cli_page()
    framework = [
        cls for cls in create_application(AppModule).discovery.settings_classes() if "bullworks" in cls.__module__
    ]
    assert {cls.__name__ for cls in framework} <= set(re.findall(r"## (\w+)", settings))
    assert "| `HTTP_PORT` | `3000` |" in settings
    assert "## `worker`" in cli
    assert "### `queue retry`" in cli
    assert "--life-line" not in cli, "it is hidden"


def test_the_api_reference_names_where_things_are() -> None:
    assert "::: bullworks.bullmq.queue.queue.Queue\n" in api_page("bullmq")
    packages = {path.parent.name for path in ROOT.glob("bullworks/*/__init__.py")}
    assert packages - set(PACKAGES) == {"cli"}, "add the package to PACKAGES in docs/hooks/api_reference.py"
