"""The board over queues on a cluster, and on a watched master."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.board import board_app
from app.board.keys import audit_of
from app.bullmq import FlowProducer, Queue, Worker
from app.redis.hash_slot import slot_of
from tests.board.client import BoardClient
from tests.cluster.group import ServerGroup


async def test_the_board_reads_and_changes_queues_wherever_they_are(group: ServerGroup, prefix: str) -> None:
    async with (
        Queue[Any]("mail", connection=group.url, prefix=prefix) as mail,
        Queue[Any]("log", connection=group.url, prefix=prefix) as log,
        FlowProducer(connection=group.url, prefix=prefix) as flows,
    ):
        app = board_app(queues=[mail, log])
        board = BoardClient(app)
        await flows.add(
            {
                "name": "parent",
                "queue_name": "mail",
                "children": [{"name": "child", "queue_name": "log", "data": {"n": 1}}],
            }
        )
        await mail.upsert_job_scheduler("nightly", {"pattern": "0 3 * * *"})

        async def process(job: Any) -> None:
            return None

        async with Worker[Any, Any]("other", process, connection=group.url, prefix=prefix):
            listed = (await board.get("api/queues?activeQueue=log")).json()["queues"]
        assert {queue["name"]: queue["counts"]["waiting"] for queue in listed} == {"mail": 0, "log": 1}
        assert [job["data"] for job in listed[1]["jobs"]] == [{"n": 1}]
        assert [queue["hasWorkers"] for queue in listed] == [False, False]
        flow: Mapping[str, Any] = (await board.get(f"api/queues/log/{listed[1]['jobs'][0]['id']}/flow")).json()[
            "flowRoot"
        ]
        assert (flow["name"], [child["queueName"] for child in flow["children"]]) == ("parent", ["log"])
        assert [scheduler["id"] for scheduler in (await board.get("api/job-schedulers")).json()["schedulers"]] == [
            "nightly"
        ]
        assert (await board.get("api/redis/stats")).json()["mode"] in {"cluster", "standalone"}
        assert (await board.get("api/metrics/history?from=0&to=9999999999999")).json()["completed"] == []
        assert (await board.get("-/")).status_code == 200
        added = await board.change("POST", "api/queues/log/add", {"name": "by hand"})
        assert added.json()["status"] == "waiting"
        assert (await board.change("PUT", "api/queues/pause")).json() == {}
        assert await mail.is_paused()
        assert await log.is_paused()
        assert slot_of(audit_of(prefix)) == slot_of(mail.keys.base)
        assert (await app.board.audit.latest(1))[0].action == "pause"
