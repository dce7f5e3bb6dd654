"""The board over queues on a cluster, and on a watched master."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bullworks.board import board_app
from bullworks.board.keys import audit_of
from bullworks.board.pages.folding import fold, group_id
from bullworks.bullmq import FlowProducer, Job, Queue, Worker
from bullworks.redis.group.hash_slot import slot_of
from tests.bullworks.board.client import BoardClient
from tests.bullworks.cluster.group import ServerGroup


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


async def test_failures_are_grouped_and_jobs_found_wherever_they_are(group: ServerGroup, prefix: str) -> None:
    """Two queues in two slots: what is asked of each goes to its own server."""
    async with (
        Queue[Any]("mail", connection=group.url, prefix=f"{prefix}a") as mail,
        Queue[Any]("log", connection=group.url, prefix=prefix.replace("{", "{b")) as log,
    ):
        for queue in (mail, log):
            await queue.wait_until_ready()
            await queue.add("known", {"n": queue.name}, job_id=f"of-{queue.name}")
            await fail_at(queue, await queue.add("send", {}, job_id="bad", lifo=True), "no such order: 7")
        board = BoardClient(board_app(queues=[mail, log]))
        failures = (await board.get("-/failures")).text
        assert failures.count("no such order: #") == 2
        for wanted, found in (("of-log", ["of-log"]), ("known", ["of-log", "of-mail"]), ("n=mail", ["of-mail"])):
            page = (await board.get("-/search", params={"q": wanted})).text
            assert [job_id for job_id in ("of-log", "of-mail") if f"id={job_id}" in page] == found
        path = f"-/api/queues/log/failures/{group_id(fold('no such order: 7'))}"
        assert (await board.change("PUT", f"{path}/retry")).json()["message"] == "1 of 1 retried"
        assert await log.get_job_state("bad") == "waiting"
        assert (await board.change("PUT", f"{path.replace('log', 'mail')}/remove")).json()["done"] == 1
        assert await mail.get_job_state("bad") == "unknown"


async def fail_at(queue: Queue[Any], job: Job[Any], reason: str) -> None:
    """Let it be one that failed."""
    connection, keys = queue.connection.at(queue.keys.base), queue.keys
    await connection.execute("LREM", keys.of("wait"), 1, job.id)
    await connection.execute("HSET", keys.of(job.id), "failedReason", reason, "finishedOn", 5)
    await connection.execute("ZADD", keys.of("failed"), 5, job.id)
