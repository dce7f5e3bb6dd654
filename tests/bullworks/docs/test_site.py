"""What `make docs` makes of pages: links as the site has them, and pages generated from the code."""

from __future__ import annotations

import pytest

from docs.hooks.links import ready_for_site

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
