"""The pages of the site that are made from the code: path on the site -> what writes it."""

from collections.abc import Callable, Mapping
from functools import partial

from docs.hooks.api_reference import PACKAGES, api_page, error_page
from docs.hooks.cli_reference import cli_page
from docs.hooks.metric_reference import metric_page
from docs.hooks.option_reference import option_page
from docs.hooks.settings_reference import settings_page

GENERATED: Mapping[str, Callable[[], str]] = {
    "reference/options.md": option_page,
    "reference/settings.md": settings_page,
    "reference/command-line.md": cli_page,
    "reference/metrics.md": metric_page,
    "reference/errors.md": error_page,
    **{f"reference/api/{package}.md": partial(api_page, package) for package in PACKAGES},
}
