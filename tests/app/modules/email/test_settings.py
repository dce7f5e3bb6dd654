"""The settings of mail: URLs that are refused without showing any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.modules.email.settings import MailSettings
from bullworks.settings import SettingsError, SettingsSource


def problem_of(tmp_path: Path, **values: str) -> str:
    with pytest.raises(SettingsError) as caught:
        SettingsSource(values, env_file=tmp_path / ".env")[MailSettings]
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("smtp://", "no host"),
        ("smtp://user:hun/ter2@host", "port is not a number"),
        ("smtp://host:0", "port is not a number"),
        ("smtp://host:99999", "port is not a number"),
        ("smtp://host?starttls=maybe", "starttls="),
        ("smtp://host?tls=hunter2", "starttls="),
    ],
)
def test_a_broken_smtp_url_is_refused_without_showing_any_of_it(tmp_path: Path, url: str, reason: str) -> None:
    problem = problem_of(tmp_path, smtp_url=url)
    assert reason in problem
    assert "hun" not in problem
    assert "maybe" not in problem


@pytest.mark.parametrize("url", ["hunter2", "http://user:hunter2@host", "hunter2://host", "//:hunter2@host"])
def test_another_scheme_is_refused_without_showing_any_of_it(tmp_path: Path, url: str) -> None:
    problem = problem_of(tmp_path, smtp_url=url)
    assert problem.startswith("SMTP_URL (value not shown): it does not begin with smtp://, smtps://")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("SMTP_TIMEOUT_MS", "1e12", "valid integer"), ("MAIL_FROM", "nobody", "not a mail address")],
)
def test_a_wrong_value_is_shown_with_its_reason(tmp_path: Path, name: str, value: str, reason: str) -> None:
    problem = problem_of(tmp_path, **{name: value})
    assert problem.startswith(f"{name}={value!r}: ")
    assert reason in problem


def test_secrets_are_in_no_repr(tmp_path: Path) -> None:
    source = SettingsSource({"SMTP_URL": "smtp://user:hunter2@host"}, env_file=tmp_path / ".env")
    assert "hunter2" not in repr(source) + repr(source[MailSettings])
