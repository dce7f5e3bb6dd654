"""SchedulerRegistry: jobs that are found, added and deleted at run time."""

from __future__ import annotations

import pytest

from bullworks.schedule import (
    CronJob,
    IntervalJob,
    JobNameTakenError,
    JobOptionError,
    SchedulerRegistry,
    TimeoutJob,
    UnknownJobError,
)
from tests.bullworks.schedule.fake_clock import FakeClock


class Counter:
    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.at: list[int] = []

    async def __call__(self) -> None:
        self.at.append(self.clock.steady_ms() - 5_000_000)


@pytest.fixture
def counter(clock: FakeClock) -> Counter:
    return Counter(clock)


async def test_a_cron_that_is_added_can_be_found_and_deleted(
    registry: SchedulerRegistry, clock: FakeClock, counter: Counter
) -> None:
    job = CronJob("* * * * * *", counter)
    registry.add_cron_job("tick", job)
    job.start()
    assert registry.get_cron_job("tick") is job
    assert registry.get_cron_jobs() == {"tick": job}
    assert job.name == "tick"
    await clock.advance(1_000)
    registry.delete_cron_job("tick")
    await clock.advance(3_000)
    assert len(counter.at) == 1
    assert not registry.does_exist("cron", "tick")
    job.start()
    await clock.advance(3_000)
    assert len(counter.at) == 1


async def test_a_cron_may_be_started_before_it_is_added(
    registry: SchedulerRegistry, clock: FakeClock, counter: Counter
) -> None:
    job = CronJob("* * * * * *", counter)
    job.start()
    registry.add_cron_job("tick", job)
    await clock.advance(2_000)
    assert len(counter.at) == 2


async def test_an_interval_runs_from_due_to_due(
    registry: SchedulerRegistry, clock: FakeClock, counter: Counter
) -> None:
    job = registry.add_interval("poll", counter, 400)
    assert isinstance(job, IntervalJob)
    assert registry.get_interval("poll") is job
    await clock.advance(1_300)
    assert (counter.at, job.is_active) == ([400, 800, 1_200], True)
    registry.delete_interval("poll")
    await clock.advance(1_000)
    assert (len(counter.at), registry.get_intervals()) == (3, [])


async def test_after_a_stall_an_interval_runs_once(
    registry: SchedulerRegistry, clock: FakeClock, counter: Counter
) -> None:
    registry.add_interval("poll", counter, 400)
    await clock.stall(2_100)
    await clock.advance(400)
    assert counter.at == [2_100, 2_400]


async def test_a_clock_that_is_set_changes_nothing_for_intervals(
    registry: SchedulerRegistry, clock: FakeClock, counter: Counter
) -> None:
    registry.add_interval("poll", counter, 400)
    clock.set_wall(-3_600_000)
    await clock.advance(900)
    assert counter.at == [400, 800]


async def test_a_timeout_runs_once_and_is_forgotten(
    registry: SchedulerRegistry, clock: FakeClock, counter: Counter
) -> None:
    job = registry.add_timeout("later", counter, 500)
    assert isinstance(job, TimeoutJob)
    assert (registry.get_timeout("later"), registry.get_timeouts()) == (job, ["later"])
    await clock.advance(2_000)
    assert (counter.at, registry.get_timeouts()) == ([500], [])


async def test_a_timeout_that_is_deleted_does_not_run(
    registry: SchedulerRegistry, clock: FakeClock, counter: Counter
) -> None:
    registry.add_timeout("later", counter, 500)
    registry.delete_timeout("later")
    await clock.advance(2_000)
    assert counter.at == []


async def test_names_are_taken_within_a_kind_only(registry: SchedulerRegistry, counter: Counter) -> None:
    registry.add_interval("x", counter, 1_000)
    registry.add_timeout("x", counter, 1_000)
    registry.add_cron_job("x", CronJob("0 9 * * *", counter))
    assert all(registry.does_exist(kind, "x") for kind in ("cron", "interval", "timeout"))
    with pytest.raises(JobNameTakenError, match="the interval 'x' exists already"):
        registry.add_interval("x", counter, 1_000)
    with pytest.raises(JobNameTakenError):
        registry.add_timeout("x", counter, 1_000)
    with pytest.raises(JobNameTakenError):
        registry.add_cron_job("x", CronJob("0 9 * * *", counter))


async def test_an_unknown_name_is_an_error_that_lists_the_known_ones(
    registry: SchedulerRegistry, counter: Counter
) -> None:
    registry.add_interval("poll", counter, 1_000)
    with pytest.raises(UnknownJobError) as unknown:
        registry.get_interval("pole")
    assert str(unknown.value) == "there is no interval 'pole'; there are: poll"
    for call in (registry.get_cron_job, registry.get_timeout, registry.delete_cron_job, registry.delete_timeout):
        with pytest.raises(UnknownJobError, match="there are: none"):
            call("pole")
    with pytest.raises(UnknownJobError):
        registry.delete_interval("pole")


async def test_a_name_in_redis_has_no_braces(registry: SchedulerRegistry, counter: Counter) -> None:
    with pytest.raises(JobOptionError, match="no braces"):
        registry.add_cron_job("{x}", CronJob("0 9 * * *", counter))


@pytest.mark.parametrize("every", [0, -5, "1s", 1.5])
async def test_an_interval_is_at_least_a_millisecond(registry: SchedulerRegistry, counter: Counter, every: int) -> None:
    with pytest.raises(JobOptionError, match="poll, interval"):
        registry.add_interval("poll", counter, every)
    assert not registry.does_exist("interval", "poll")


async def test_jobs_that_are_added_before_the_start_run_after_it(clock: FakeClock, counter: Counter) -> None:
    registry = SchedulerRegistry(clock)
    registry.add_interval("poll", counter, 400)
    job = CronJob("* * * * * *", counter)
    registry.add_cron_job("tick", job)
    job.start()
    await clock.advance(5_000)
    assert counter.at == []
    registry.open()
    await clock.advance(1_000)
    assert counter.at == [5_400, 5_800, 6_000]
    await registry.close(1)
    await clock.advance(5_000)
    assert len(counter.at) == 3
    job.stop()
    job.start()
    await clock.advance(5_000)
    assert len(counter.at) == 3
