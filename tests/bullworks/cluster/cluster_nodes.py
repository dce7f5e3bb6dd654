"""A Redis Cluster of three primaries and three replicas."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import redis

from bullworks.redis.embedded.process import free_port
from bullworks.redis.group.hash_slot import slot_of
from tests.bullworks.cluster.group import DOWN_AFTER_MS, PASSWORD, client_of, role_of
from tests.bullworks.servers import HOST, RedisServer
from tests.bullworks.waiting import wait_until

_SLOTS = 16_384
_PRIMARIES = 3
_HEAL_S = 15.0


class ClusterNodes:
    """Six processes on free ports; each primary has a replica that takes over where it dies."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [ClusterNode(folder / str(number)) for number in range(2 * _PRIMARIES)]

    @property
    def url(self) -> str:
        """With all nodes, so that it works whichever is down."""
        return f"redis+cluster://:{PASSWORD}@{','.join(f'{HOST}:{node.port}' for node in self.nodes)}"

    def __enter__(self) -> Self:
        for node in self.nodes:
            node.start()
        for epoch, node in enumerate(self.nodes, 1):
            self.run(node, "CLUSTER", "SET-CONFIG-EPOCH", epoch)
        for number, node in enumerate(self.nodes[:_PRIMARIES]):
            first, last = number * _SLOTS // _PRIMARIES, (number + 1) * _SLOTS // _PRIMARIES - 1
            self.run(node, "CLUSTER", "ADDSLOTSRANGE", first, last)
        first, *others = self.nodes
        for node in others:
            self.run(first, "CLUSTER", "MEET", HOST, node.port, node.bus_port)
        wait_until(self._all_know_all, within_s=_HEAL_S)
        for primary, replica in zip(self.nodes[:_PRIMARIES], self.nodes[_PRIMARIES:], strict=True):
            self.run(replica, "CLUSTER", "REPLICATE", self.id_of(primary))
        self.heal()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    def run(self, node: RedisServer, *command: Any) -> Any:
        """The raw reply to one command."""
        with client_of(node) as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def id_of(self, node: RedisServer) -> str:
        """What the others call it."""
        return str(self.run(node, "CLUSTER", "MYID").decode())

    def primary(self, prefix: str) -> ClusterNode:
        """The node that has the prefix's slot; waits for a failover under way."""
        slot = slot_of(prefix)
        return wait_until(lambda: self._owner(slot), within_s=_HEAL_S, what=f"a node with slot {slot}")

    def other_primary(self, prefix: str) -> ClusterNode:
        """A primary that does not have it."""
        owner = self.primary(prefix)
        return next(node for node in self.nodes if node is not owner and role_of(node).get("role") == "master")

    def heal(self) -> None:
        """Start what was killed, and wait until every primary has its replica again."""
        for node in self.nodes:
            if not node.is_running():
                node.start()
        wait_until(self._is_whole, within_s=_HEAL_S, what="the cluster to be whole")

    def _owner(self, slot: int) -> ClusterNode | None:
        for node in self.nodes:
            if role_of(node).get("role") != "master":
                continue
            for line in self._lines(node):
                if "myself" in line[2]:
                    ranges = [part.partition("-") for part in line[8:] if not part.startswith("[")]
                    if any(int(first) <= slot <= int(last or first) for first, _, last in ranges):
                        return node
        return None

    def _lines(self, node: RedisServer) -> list[list[str]]:
        return [line.split(" ") for line in self.run(node, "CLUSTER", "NODES").decode().splitlines()]

    def _all_know_all(self) -> bool:
        return all(len(self._lines(node)) == len(self.nodes) for node in self.nodes)

    def _is_whole(self) -> bool:
        roles = [role_of(node) for node in self.nodes]
        primaries = [role for role in roles if role.get("role") == "master"]
        linked = [role for role in roles if role.get("master_link_status") == "up"]
        try:
            is_ok = all(self._is_ok(node) for node in self.nodes)
        except redis.RedisError:
            return False
        has_replicas = all(role.get("connected_slaves") == "1" for role in primaries)
        return is_ok and len(primaries) == _PRIMARIES == len(linked) and has_replicas

    def _is_ok(self, node: RedisServer) -> bool:
        states = [line[2] for line in self._lines(node)]
        info = self.run(node, "CLUSTER", "INFO")
        return b"cluster_state:ok" in info and not any("fail" in state for state in states)


class ClusterNode(RedisServer):
    """One of them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.bus_port = free_port()
        settings = {
            "cluster-enabled": "yes",
            "cluster-port": self.bus_port,
            "cluster-node-timeout": DOWN_AFTER_MS,
            "cluster-replica-validity-factor": 0,
            "repl-diskless-sync-delay": 0,
            "requirepass": PASSWORD,
            "masterauth": PASSWORD,
        }
        super().__init__(
            folder, options=[str(part) for name, value in settings.items() for part in (f"--{name}", value)]
        )
