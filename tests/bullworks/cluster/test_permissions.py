"""The permissions that bullworks/redis/README.md lists are enough, and a user with those alone finds its way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.cluster.cluster_nodes import ClusterNodes
from tests.bullworks.cluster.group import PASSWORD, client_of
from tests.bullworks.cluster.slot_move import SlotMove
from tests.bullworks.cluster.watched import WATCH_PASSWORD, WatchedPair
from tests.bullworks.reliability.history import add_many, check_ended, completed
from tests.bullworks.reliability.test_refusing_servers import MINIMAL_ACL
from tests.bullworks.waiting import eventually

CLUSTER_ACL = "+cluster|slots +cluster|countkeysinslot +asking"
SENTINEL_ACL = "-@all +auth +ping +sentinel|get-master-addr-by-name"


README = " ".join(Path("bullworks/redis/README.md").read_text().replace("`", "").split())


def test_they_are_what_the_readme_says() -> None:
    assert CLUSTER_ACL in README
    assert SENTINEL_ACL in README


async def _done(_job: Job[Any, Any]) -> str:
    return "done"


async def test_on_a_cluster_also_while_a_slot_moves(cluster_nodes: ClusterNodes, prefix: str) -> None:
    rules = f"{MINIMAL_ACL.format(prefix=prefix)} {CLUSTER_ACL}".split()
    for node in cluster_nodes.nodes:
        cluster_nodes.run(node, "ACL", "SETUSER", "worker", "reset", "on", f">{PASSWORD}", *rules)
    url = cluster_nodes.url.replace("://:", "://worker:")
    async with Queue("q", connection=url, prefix=prefix) as queue, Worker("q", _done, connection=url, prefix=prefix):
        ids = await add_many(queue, 20)
        move = SlotMove(cluster_nodes, prefix)
        move.begin()
        while move.move_keys():
            pass
        ids.append((await queue.add("job", {})).id)  # by an ASK
        move.end()
        with client_of(move.target) as look:
            await eventually(lambda: completed(look, queue) == len(ids))
            check_ended(look, queue, ids)


async def test_of_a_sentinel_and_its_master(watched_pair: WatchedPair, prefix: str) -> None:
    for server in watched_pair.servers:
        rules = MINIMAL_ACL.format(prefix=prefix).split()
        server.run("ACL", "SETUSER", "worker", "reset", "on", f">{PASSWORD}", *rules)
    for sentinel in watched_pair.sentinels:
        sentinel.run("ACL", "SETUSER", "finder", "reset", "on", f">{WATCH_PASSWORD}", *SENTINEL_ACL.split())
    url = f"{watched_pair.url.replace('://:', '://worker:')}&sentinel_username=finder"
    async with Queue("q", connection=url, prefix=prefix) as queue, Worker("q", _done, connection=url, prefix=prefix):
        ids = await add_many(queue, 20)
        with client_of(watched_pair.primary(prefix)) as look:
            await eventually(lambda: completed(look, queue) == len(ids))
            check_ended(look, queue, ids)
