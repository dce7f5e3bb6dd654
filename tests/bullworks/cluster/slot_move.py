"""A slot on its way from one node to another, as `redis-cli --cluster reshard` moves it."""

from __future__ import annotations

from bullworks.redis.group.hash_slot import slot_of
from tests.bullworks.cluster.cluster_nodes import ClusterNode, ClusterNodes
from tests.bullworks.cluster.group import PASSWORD, client_of, role_of
from tests.bullworks.servers import HOST


class SlotMove:
    """The steps of one move, so that a test can stop in between."""

    def __init__(self, nodes: ClusterNodes, prefix: str) -> None:
        self._nodes = nodes
        self.slot = slot_of(prefix)
        self.source = nodes.primary(prefix)
        self.target = nodes.other_primary(prefix)

    def begin(self) -> None:
        """From here on the source answers ASK for keys that it does not have."""
        self._set_slot(self.target, "IMPORTING", self._nodes.id_of(self.source))
        self._set_slot(self.source, "MIGRATING", self._nodes.id_of(self.target))

    def move_keys(self, count: int = 10_000) -> int:
        """Move so many; how many there were."""
        keys = self._nodes.run(self.source, "CLUSTER", "GETKEYSINSLOT", self.slot, count)
        if keys:
            place = (HOST, self.target.port, "", 0, 5_000, "AUTH", PASSWORD)
            self._nodes.run(self.source, "MIGRATE", *place, "KEYS", *keys)
        return len(keys)

    def end(self) -> None:
        """From here on the source answers MOVED."""
        for node in (self.target, self.source, *self._nodes.nodes):
            if role_of(node).get("role") == "master":
                self._set_slot(node, "NODE", self._nodes.id_of(self.target))

    def refusals(self, code: str) -> int:
        """How often the source has answered so."""
        with client_of(self.source) as client:
            stats = client.info("errorstats").get(f"errorstat_{code}", {"count": 0})
        return int(stats["count"])

    def _set_slot(self, node: ClusterNode, *how: str) -> None:
        self._nodes.run(node, "CLUSTER", "SETSLOT", self.slot, *how)
