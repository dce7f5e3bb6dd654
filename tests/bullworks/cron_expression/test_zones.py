"""Time zones: their names, the process's own, and machines that have none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bullworks.cron_expression import CronExpressionError, CronSchedule, zone
from tests.bullworks.cron_expression.golden import milliseconds, text

NOON = milliseconds("2024-01-15T12:00:00Z")


def next_at_nine(tz: str | None) -> str:
    run = CronSchedule.parse("0 9 * * *", tz=tz).next_ms(NOON)
    assert run is not None
    return text(run)[11:16]


@pytest.fixture(autouse=True)
def fresh_zones() -> Iterator[None]:
    """Neither remembers what other tests have looked up, nor leaves what these have."""
    caches = (zone._process_zone, zone._zone, zone._known_zones)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize(
    ("tz", "at"),
    [
        ("Asia/Kolkata", "03:30"),
        ("asia/kolkata", "03:30"),
        ("UTC+3", "06:00"),
        ("utc-03:30", "12:30"),
        ("utc", "09:00"),
    ],
)
def test_a_zone_is_known_by_its_name_in_any_case_or_by_its_offset(tz: str, at: str) -> None:
    assert next_at_nine(tz) == at


def test_without_a_zone_the_process_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert next_at_nine(None) == "00:00"
    assert next_at_nine("local") == "00:00"
    monkeypatch.setenv("TZ", ":America/New_York")
    assert next_at_nine(None) == "14:00"


def test_the_process_takes_the_machines_zone_where_tz_is_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """/etc/localtime is a copy or a link; its content counts."""
    monkeypatch.delenv("TZ", raising=False)
    localtime = tmp_path / "localtime"
    monkeypatch.setattr(zone, "_LOCALTIME", localtime)
    assert next_at_nine(None) == "09:00"
    zone._process_zone.cache_clear()
    localtime.write_bytes(_compiled("Asia/Kolkata"))
    assert next_at_nine(None) == "03:30"


def test_a_wrong_tz_of_the_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Mars/Phobos")
    with pytest.raises(CronExpressionError, match="the environment's TZ: unknown time zone 'Mars/Phobos'"):
        CronSchedule.parse("* * * * *")


def test_an_unknown_zone_is_refused_with_names_like_it() -> None:
    with pytest.raises(CronExpressionError, match=r"Write an IANA name, as in Europe/Paris \(like it: Europe/Berlin"):
        CronSchedule.parse("* * * * *", tz="Europe/Berln")


def test_an_offset_of_a_day_is_refused() -> None:
    with pytest.raises(CronExpressionError, match="'UTC\\+30' is more than a day from UTC"):
        CronSchedule.parse("* * * * *", tz="UTC+30")


def test_a_machine_without_zones_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(zone, "ZoneInfo", missing)
    monkeypatch.setattr(zone, "available_timezones", set)
    with pytest.raises(CronExpressionError, match="install the package tzdata"):
        CronSchedule.parse("* * * * *", tz="Europe/Paris")
    assert CronSchedule.parse("* * * * *", tz="UTC").next_ms(0) == 60_000


def _compiled(name: str) -> bytes:
    import zoneinfo
    from importlib import resources

    for folder in zoneinfo.TZPATH:
        path = Path(folder) / name
        if path.is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
