"""When a CronJob runs, and what it says of itself."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from bullworks.schedule import BadExpressionError, CronExpression, CronJob, JobOptionError, SchedulerRegistry
from tests.bullworks.schedule.fake_clock import NOON_MS, FakeClock, settled

NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)


class Ticker:
    """Counts its runs, which end at once, or when they are told to."""

    def __init__(self, clock: FakeClock, *, is_held: bool = False) -> None:
        self.clock = clock
        self.started: list[float] = []
        self.go_on = asyncio.Event()
        if not is_held:
            self.go_on.set()

    async def __call__(self) -> None:
        self.started.append((self.clock.wall_ms() - NOON_MS) / 1000)
        await self.go_on.wait()


@pytest.fixture
def ticker(clock: FakeClock) -> Ticker:
    return Ticker(clock)


def added(registry: SchedulerRegistry, job: CronJob) -> CronJob:
    registry.add_cron_job("job", job)
    job.start()
    return job


async def test_it_runs_at_each_tick_and_not_before_it_is_started(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    job = CronJob(CronExpression.EVERY_10_SECONDS, ticker)
    registry.add_cron_job("job", job)
    await clock.advance(30_000)
    assert (ticker.started, job.is_active) == ([], False)
    job.start()
    job.start()
    await clock.advance(30_000)
    assert ticker.started == [40, 50, 60]


async def test_a_stopped_job_runs_no_more_until_it_is_started_again(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    job = added(registry, CronJob("*/10 * * * * *", ticker))
    await clock.advance(10_000)
    job.stop()
    await clock.advance(20_000)
    job.start()
    await clock.advance(10_000)
    assert ticker.started == [10, 40]


async def test_a_callback_may_stop_its_own_job(registry: SchedulerRegistry, clock: FakeClock) -> None:
    runs = []

    async def once() -> None:
        runs.append(1)
        job.stop()

    job = added(registry, CronJob("* * * * * *", once))
    await clock.advance(5_000)
    assert (runs, job.is_active) == ([1], False)


async def test_a_sync_callback_runs_in_a_thread_and_sees_its_context(registry: SchedulerRegistry) -> None:
    import threading

    seen: list[str] = []
    job = CronJob("0 0 1 1 *", lambda: seen.append(threading.current_thread().name))
    registry.add_cron_job("job", job)
    await job.fire_on_tick()
    assert [name.startswith("schedule") for name in seen] == [True]


async def test_runs_overlap(registry: SchedulerRegistry, clock: FakeClock) -> None:
    ticker = Ticker(clock, is_held=True)
    job = added(registry, CronJob("*/10 * * * * *", ticker))
    await clock.advance(30_000)
    assert (ticker.started, job.is_callback_running) == ([10, 20, 30], True)
    ticker.go_on.set()
    await settled()
    assert not job.is_callback_running


async def test_wait_for_completion_skips_ticks_while_a_run_goes_on(
    registry: SchedulerRegistry, clock: FakeClock
) -> None:
    ticker = Ticker(clock, is_held=True)
    added(registry, CronJob("*/10 * * * * *", ticker, wait_for_completion=True))
    await clock.advance(35_000)
    ticker.go_on.set()
    await clock.advance(20_000)
    assert ticker.started == [10, 40, 50]


async def test_an_error_is_logged_with_the_jobs_name_and_the_schedule_goes_on(
    registry: SchedulerRegistry, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ValueError("no rates today")

    added(registry, CronJob("*/10 * * * * *", fail))
    await clock.advance(20_000)
    assert [record.getMessage() for record in caplog.records] == ["cron job failed"] * 2
    assert "no rates today" in caplog.text


async def test_a_tick_that_is_late_within_the_threshold_runs(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    added(registry, CronJob("*/10 * * * * *", ticker, threshold=300))
    await clock.stall(10_300)
    assert ticker.started == [10.3]


async def test_a_tick_that_is_later_is_skipped_with_a_warning(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker, caplog: pytest.LogCaptureFixture
) -> None:
    added(registry, CronJob("*/10 * * * * *", ticker, threshold=timedelta(milliseconds=300)))
    await clock.stall(10_301)
    assert ticker.started == []
    assert [record.getMessage() for record in caplog.records] == ["cron job missed a tick: came up 301 ms late"]
    await clock.advance(10_000)
    assert ticker.started == [20]


async def test_after_a_stall_only_the_tick_that_is_not_too_late_runs(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    """Ticks at 1, 2, 3 s come up at 3.1 s: the third is 100 ms late, which is fine."""
    added(registry, CronJob("* * * * * *", ticker))
    await clock.stall(3_100)
    assert ticker.started == [3.1]
    await clock.advance(1_000)
    assert ticker.started == [3.1, 4]


async def test_a_clock_set_forward_by_an_hour_gives_no_burst(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker, caplog: pytest.LogCaptureFixture
) -> None:
    added(registry, CronJob("*/10 * * * * *", ticker))
    await clock.advance(10_000)
    clock.set_wall(3_600_000)
    await clock.advance(20_000)
    assert ticker.started == [10, 3620, 3630]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    # One for the clock, one for the tick that was waited for, one for those after it: not 360.
    assert len(warnings) == 3


async def test_a_clock_set_back_by_an_hour_is_followed(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    added(registry, CronJob("*/10 * * * * *", ticker))
    await clock.advance(10_000)
    clock.set_wall(-3_600_000)
    await clock.advance(20_000)
    assert ticker.started == [10, -3580, -3570]


async def test_a_clock_set_back_by_less_than_a_jobs_pause_repeats_no_run(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    added(registry, CronJob("0 * * * *", ticker))
    await clock.advance(3_600_000)
    clock.set_wall(-1_200_000)
    await clock.advance(3_600_000)
    assert ticker.started == [3600]
    await clock.advance(1_200_000)
    assert ticker.started == [3600, 7200]


async def test_a_datetime_runs_once(registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker) -> None:
    job = added(registry, CronJob(NOON + timedelta(seconds=90), ticker))
    assert job.next_date() == NOON + timedelta(seconds=90)
    await clock.advance(200_000)
    assert (ticker.started, job.is_active, job.next_date()) == ([90], False, None)


async def test_a_datetime_without_a_zone_is_in_the_jobs(registry: SchedulerRegistry, clock: FakeClock) -> None:
    ticker = Ticker(clock)
    added(registry, CronJob(datetime(2026, 7, 15, 14, 1), ticker, time_zone="Europe/Paris"))  # noqa: DTZ001
    await clock.advance(120_000)
    assert ticker.started == [60]


async def test_a_datetime_in_the_past_never_runs_and_says_so(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker, caplog: pytest.LogCaptureFixture
) -> None:
    job = added(registry, CronJob(NOON - timedelta(days=1), ticker))
    await clock.advance(120_000)
    assert (ticker.started, job.is_active) == ([], False)
    assert "cron job never runs" in caplog.text


async def test_initial_delay_puts_off_the_first_tick_only(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    job = added(registry, CronJob("*/10 * * * * *", ticker, initial_delay=25_000))
    await clock.advance(40_000)
    assert ticker.started == [30, 40]
    job.stop()
    job.start()
    await clock.advance(10_000)
    assert ticker.started == [30, 40, 50]


async def test_set_time_changes_the_ticks_of_a_running_job(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    job = added(registry, CronJob("*/10 * * * * *", ticker))
    await clock.advance(10_000)
    job.set_time("*/15 * * * * *")
    with pytest.raises(BadExpressionError, match="job, cron '61"):
        job.set_time("61 * * * * *")
    await clock.advance(35_000)
    assert ticker.started == [10, 15, 30, 45]
    assert job.expression == "*/15 * * * * *"


async def test_last_and_next_dates_are_in_the_jobs_zone(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    job = added(registry, CronJob("15 21 * * *", ticker, time_zone="Asia/Tokyo"))
    assert job.last_date() is None
    assert [date.isoformat() for date in job.next_dates(2)] == [
        "2026-07-15T21:15:00+09:00",
        "2026-07-16T21:15:00+09:00",
    ]
    await clock.advance(15 * 60_000)
    last = job.last_date()
    assert last is not None
    assert last.isoformat() == "2026-07-15T21:15:00+09:00"


@pytest.mark.parametrize(("minutes", "expected"), [(330, "+05:30"), (-210, "-03:30"), (0, "+00:00")])
async def test_utc_offset_is_in_minutes(clock: FakeClock, ticker: Ticker, minutes: int, expected: str) -> None:
    job = CronJob("0 9 * * *", ticker, utc_offset=minutes)
    next_date = job.next_date()
    assert next_date is not None
    assert next_date.isoformat()[10:] == f"T09:00:00{expected}"


async def test_fire_on_tick_runs_now_and_returns_what_became_of_it(
    registry: SchedulerRegistry, clock: FakeClock, ticker: Ticker
) -> None:
    job = CronJob("0 0 1 1 *", ticker)
    registry.add_cron_job("job", job)
    run = await job.fire_on_tick()
    assert (ticker.started, run.error, run.tick_ms, run.started_at_ms) == ([0], None, None, NOON_MS)

    async def fail() -> None:
        raise ValueError("no")

    failed = await CronJob("0 0 1 1 *", fail).fire_on_tick()
    assert isinstance(failed.error, ValueError)


@pytest.mark.parametrize(
    ("expression", "options", "reason"),
    [
        ("61 * * * *", {}, "minute: 61 is not within 0-59"),
        ("0 0 31 2 *", {}, "day of month"),
        ("", {}, "it is empty"),
        ("* * *", {}, "3 fields; write five"),
        (5, {}, "a str or a datetime"),
        ("* * * * *", {"time_zone": "Mars/Olympus"}, "unknown time zone 'Mars/Olympus'"),
        ("* * * * *", {"time_zone": ""}, "time_zone must be an IANA name"),
        ("* * * * *", {"utc_offset": 1440}, "in minutes, less than a day"),
        ("* * * * *", {"utc_offset": "+03:00"}, "in minutes, less than a day"),
        ("* * * * *", {"utc_offset": 60, "time_zone": "UTC"}, "give one of them"),
        (datetime(2030, 1, 1), {"time_zone": "Mars/Olympus"}, "unknown time zone"),  # noqa: DTZ001
    ],
)
def test_what_can_never_run_is_refused(expression: str, options: dict[str, str], reason: str) -> None:
    with pytest.raises(BadExpressionError) as refused:
        CronJob(expression, lambda: None, name="job", **options)  # type: ignore[arg-type]
    assert reason in str(refused.value)


@pytest.mark.parametrize("options", [{"threshold": -1}, {"initial_delay": "1s"}])
def test_durations_are_ms_or_timedeltas(options: dict[str, str]) -> None:
    with pytest.raises(JobOptionError, match="job, "):
        CronJob("* * * * *", lambda: None, name="job", **options)  # type: ignore[arg-type]
