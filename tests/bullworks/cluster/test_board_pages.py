"""Our own pages of workers, schedules, locks and audit on a cluster, and on a watched master."""

from __future__ import annotations

from typing import Any

from bullworks.board import board_app
from bullworks.bullmq import Queue
from bullworks.locks import DistributedLockService
from bullworks.workers.presence import WorkerRecord, read_present
from bullworks.workers.presence.keys import PresenceKeys
from bullworks.workers.presence.scripts import beat, forget
from tests.bullworks.board.client import BoardClient
from tests.bullworks.cluster.group import ServerGroup
from tests.bullworks.waiting import eventually


async def test_workers_schedules_locks_and_audit_are_read_where_they_are(group: ServerGroup, prefix: str) -> None:
    async with (
        Queue[Any]("mail", connection=group.url, prefix=prefix) as queue,
        DistributedLockService(connection=group.url) as locks,
    ):
        await queue.upsert_job_scheduler("nightly", {"every": 60_000}, {"name": "x"})
        keys = PresenceKeys(prefix, "mail")
        await beat(queue.connection, keys, [WorkerRecord(id="one", name="post", host="far")])
        held = await locks.acquire("board-report", 60_000)
        assert held is not None
        await eventually(locks.get_locks)  # its name is noted beside the acquisition, on another server
        await queue.connection.execute("LPUSH", queue.keys.of("active"), "gone")
        client = BoardClient(board_app(queues=[queue]))
        await client.change("PUT", "api/queues/mail/pause")
        expected = {"workers": "far, pid 0", "schedules": "nightly", "locks": "board-report", "audit": "pause"}
        for page, text in expected.items():
            answer = await client.get(f"-/{page}")
            assert answer.status_code == 200, page
            assert text in answer.text.partition("<main")[2], page
            assert "cannot be read" not in answer.text, page
        await held.release()
        await forget(queue.connection, keys, ["one"])
        assert (await read_present(queue.connection, keys, 10)).total == 0
