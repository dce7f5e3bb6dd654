"""One distributed cron in several processes: no tick starts twice, and what ran nowhere is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bullworks.schedule.fleet import CronFleet
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually, wait_until

pytestmark = pytest.mark.kill

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


@pytest.mark.timeout(90)
async def test_no_tick_runs_twice_and_each_missed_one_is_listed(tmp_path: Path) -> None:
    """Three processes; one is killed in a run and comes back; then Redis is killed, and later restarted."""
    server = RedisServer(tmp_path, options=DURABLE)
    with server, CronFleet("report", server.url, tmp_path) as fleet:
        for _ in range(3):
            fleet.start()
        fleet.wait_for_more(3)

        killed_in, pid = fleet.wait_for_more(1)[-1]
        fleet.kill(pid)
        fleet.wait_for_more(2)
        fleet.start()
        fleet.wait_for_more(2)

        server.kill()
        down_at = fleet.started()[-1][0]
        wait_until(lambda: fleet.log.read_text().count("missed a tick: Redis did not answer") >= 6, within_s=10)
        server.start()
        fleet.wait_for_more(3)
        server.restart()
        fleet.wait_for_more(3)

        # The dead process is known to be dead after 15 s.
        misses = await eventually(fleet.misses, what="misses to be listed")

        async def all_listed() -> bool:
            nonlocal misses
            misses = await fleet.misses()
            return killed_in in misses and set(fleet.silent()) <= set(misses)

        await eventually(all_listed, within_s=25, what="every missed tick to be listed")

        assert fleet.repeated() == []
        assert misses[killed_in] == "claimed, and its process died before it ended"
        during_outage = [tick for tick in fleet.silent() if tick > down_at]
        assert during_outage, "a tick that ran nowhere, as the claims of all processes went unanswered"
        assert all("Redis did not answer" in misses[tick] or "no process" in misses[tick] for tick in during_outage)
        ran = {tick for tick, _ in fleet.started()}
        # What is listed did not run, but for the run that was cut short.
        assert set(misses) & ran <= {killed_in}
