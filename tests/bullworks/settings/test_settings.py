"""Settings: defaults, precedence, and errors that name everything that is wrong."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from bullworks.logs import LogSettings
from bullworks.settings import SettingsError, SettingsSource, project_folder
from bullworks.web.settings import WebSettings
from bullworks.workers.settings import REDIS_SCHEMES, QueueSettings, WorkersSettings
from tests.bullworks.settings.conftest import SECTIONS, Load


def problems_of(load: Load) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load()
    return caught.value.problems


def test_nothing_set_gives_the_documented_defaults(load: Load) -> None:
    settings = load()
    assert settings[QueueSettings].app_env == "development"
    assert settings[WorkersSettings].workers_enabled is True
    assert settings[WorkersSettings].enabled_workers == ("all",)
    assert settings[QueueSettings].queue_redis_url is None
    assert settings[QueueSettings].queue_prefix == "bull"
    assert settings[QueueSettings].queue_data_dir == project_folder() / "var" / "redis"
    web = settings[WebSettings]
    assert (web.http_serve, web.http_host, web.http_port) == ("always", "127.0.0.1", 3000)
    assert (settings[LogSettings].log_level, settings[LogSettings].log_format) == ("INFO", "auto")


def test_the_environment_wins_over_the_env_file(load: Load, env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("QUEUE_PREFIX=from-file\nLOG_LEVEL=ERROR\n")
    monkeypatch.setenv("QUEUE_PREFIX", "from-environment")
    settings = load()
    assert settings[QueueSettings].queue_prefix == "from-environment"
    assert settings[LogSettings].log_level == "ERROR"


def test_an_empty_variable_counts_as_unset(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENABLED_WORKERS", "QUEUE_REDIS_URL", "WORKERS_ENABLED"):
        monkeypatch.setenv(name, "")
    settings = load()
    assert settings[WorkersSettings].enabled_workers == ("all",)
    assert settings[QueueSettings].queue_redis_url is None
    assert settings[WorkersSettings].workers_enabled is True


def test_other_variables_in_the_env_file_are_left_alone(load: Load, env_file: Path) -> None:
    env_file.write_text("DATABASE_URL=postgres://localhost\nQUEUE_PREFIX=ours\n")
    assert load()[QueueSettings].queue_prefix == "ours"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("all", ("all",)),
        ("ticker,candles", ("ticker", "candles")),
        (" ticker , candles ", ("ticker", "candles")),
        ("ticker,ticker", ("ticker",)),
    ],
)
def test_enabled_workers_is_all_or_names(
    load: Load, monkeypatch: pytest.MonkeyPatch, text: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ENABLED_WORKERS", text)
    assert load()[WorkersSettings].enabled_workers == names


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("WORKERS_ENABLED", "maybe", "valid boolean"),
        ("ENABLED_WORKERS", "ticker,,candles", "empty name"),
        ("ENABLED_WORKERS", "all,ticker", "stands alone"),
        ("QUEUE_PREFIX", "a b", "space"),
        ("QUEUE_CONNECT_TIMEOUT_MS", "5s", "valid integer"),
        ("SHUTDOWN_GRACE_MS", "-1", "greater than 0"),
        ("LOG_LEVEL", "loud", "'DEBUG'"),
        ("LOG_FORMAT", "xml", "'auto'"),
        ("APP_ENV", "prod", "'production'"),
    ],
)
def test_a_wrong_value_is_shown_with_its_reason_and_what_is_expected(
    load: Load, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    (problem,) = problems_of(load)
    assert problem.startswith(f"{name}={value!r}: ")
    assert reason in problem
    assert "Expected: " in problem


def test_all_problems_of_all_sections_are_in_one_error(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("ENABLED_WORKERS", ",")
    monkeypatch.setenv("QUEUE_REDIS_URL", "localhost")
    with pytest.raises(SettingsError) as caught:
        load()
    text = str(caught.value)
    assert text.startswith("the configuration has 3 problems:\n")
    assert all(name in text for name in ("LOG_LEVEL", "ENABLED_WORKERS", "QUEUE_REDIS_URL"))
    assert str(pickle.loads(pickle.dumps(caught.value))) == text


def test_a_wrong_value_in_the_env_file_says_so(load: Load, env_file: Path) -> None:
    env_file.write_text("LOG_LEVEL=loud\n")
    (problem,) = problems_of(load)
    assert f" in {env_file}: " in problem


def test_an_env_file_that_is_not_utf8_is_a_problem_not_a_traceback(load: Load, env_file: Path) -> None:
    env_file.write_bytes(b"QUEUE_PREFIX=\xff\xfe\n")
    (problem,) = problems_of(load)
    assert "cannot be read as UTF-8" in problem


@pytest.mark.parametrize("url", ["hunter2", "http://user:hunter2@host", "hunter2://host", "//:hunter2@host"])
def test_a_url_that_is_none_is_refused_without_showing_any_of_it(
    load: Load, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", url)
    (problem,) = problems_of(load)
    assert problem.startswith("QUEUE_REDIS_URL (value not shown): it does not begin with ")
    assert "hunter2" not in problem


@pytest.mark.parametrize("scheme", [*REDIS_SCHEMES, "REDIS"])
def test_every_scheme_of_the_documentation_is_accepted(
    load: Load, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", f"{scheme}://127.0.0.1:6379/0")
    url = load()[QueueSettings].queue_redis_url
    assert url is not None
    assert url.get_secret_value() == f"{scheme}://127.0.0.1:6379/0"


def test_secrets_are_in_no_repr(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", "redis://user:hunter2@host")
    source = load()
    assert "hunter2" not in repr(source) + repr(source[QueueSettings])


def test_a_section_alone_does_not_show_a_secret_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_REDIS_URL", "hunter2")
    with pytest.raises(ValidationError) as caught:
        QueueSettings()
    assert "hunter2" not in str(caught.value)


def test_production_without_a_redis_url_is_an_error(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    (problem,) = problems_of(load)
    assert problem.startswith("QUEUE_REDIS_URL is unset: with APP_ENV=production")
    monkeypatch.setenv("QUEUE_REDIS_URL", "redis://127.0.0.1:6379/0")
    assert load()[QueueSettings].app_env == "production"


def test_settings_cannot_be_changed(load: Load) -> None:
    settings = load()
    with pytest.raises(ValidationError, match="frozen"):
        settings[LogSettings].log_level = "DEBUG"


def test_folders_are_absolute_wherever_the_process_was_started(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUEUE_DATA_DIR", "data")
    settings = load()
    assert settings[QueueSettings].queue_data_dir == project_folder() / "data"
    monkeypatch.setenv("QUEUE_DATA_DIR", str(tmp_path / "elsewhere"))
    assert load()[QueueSettings].queue_data_dir == tmp_path / "elsewhere"


def test_every_variable_has_a_hint() -> None:
    assert all(field.description for section in SECTIONS for field in section.model_fields.values())


def test_a_variable_in_the_env_file_that_is_nearly_a_setting_is_named_with_it(load: Load, env_file: Path) -> None:
    """QUEUE_REDIS_URI would leave the service on the embedded server, in silence."""
    env_file.write_text("QUEUE_REDIS_URI=redis://127.0.0.1:6379/0\nLOG_LEVLE=INFO\nDATABASE_URL=x\nLOG_FORMAT=xml\n")
    problems = problems_of(load)
    assert problems[0].startswith("LOG_FORMAT='xml'")
    assert problems[1:] == (
        f"QUEUE_REDIS_URI in {env_file}: no setting has this name. Did you mean QUEUE_REDIS_URL?",
        f"LOG_LEVLE in {env_file}: no setting has this name. Did you mean LOG_LEVEL?",
    )


def test_a_variable_that_no_setting_resembles_is_mentioned_in_the_log(
    load: Load, env_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    env_file.write_text("DATABASE_URL=postgres://user:hunter2@localhost\n")
    with caplog.at_level("INFO"):
        load()
    assert caplog.messages == [f"{env_file}: no settings class reads DATABASE_URL"]


def test_given_values_go_before_the_environment(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    monkeypatch.setenv("QUEUE_REDIS_URL", "redis://127.0.0.1:6379/0")
    monkeypatch.setenv("ENABLED_WORKERS", "sync")
    source = SettingsSource({"log_level": "debug", "QUEUE_REDIS_URL": None}, env_file=env_file)
    over = source.over({"ENABLED_WORKERS": "ticker,candles"})
    assert over[LogSettings].log_level == "DEBUG"
    assert over[QueueSettings].queue_redis_url is None
    assert over[WorkersSettings].enabled_workers == ("ticker", "candles")
    assert source[WorkersSettings].enabled_workers == ("sync",)


def test_a_wrong_given_value_is_told_as_a_variable_s_would_be(env_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"HTTP_PORT='many': input should be a valid integer.* Expected: a port"):
        SettingsSource({"HTTP_PORT": "many"}, env_file=env_file)[WebSettings]


def test_a_class_is_read_once(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SettingsSource(env_file=env_file)
    first = source[WebSettings]
    monkeypatch.setenv("HTTP_PORT", "1")
    assert source[WebSettings] is first
