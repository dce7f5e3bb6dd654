"""A master with one replica, and three sentinels that watch over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import redis

from tests.bullworks.cluster.group import DOWN_AFTER_MS, PASSWORD, client_of, role_of
from tests.bullworks.servers import HOST, RedisServer
from tests.bullworks.waiting import wait_until

SERVICE = "jobs"
WATCH_PASSWORD = "hunter3"
"""Of the sentinels."""
_SENTINELS = 3
# On a loaded machine an election may need several rounds.
_HEAL_S = 45.0


class WatchedPair:
    """Five processes on free ports; the replica takes over where the master dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.servers = [_server(folder / str(number)) for number in range(2)]
        self.sentinels: list[Sentinel] = []

    @property
    def url(self) -> str:
        """With all sentinels."""
        hosts = ",".join(f"{HOST}:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{hosts}/{SERVICE}?sentinel_password={WATCH_PASSWORD}"

    def __enter__(self) -> Self:
        for server in self.servers:
            server.start()
        master, replica = self.servers
        with client_of(replica) as client:
            client.replicaof(HOST, master.port)
        wait_until(lambda: role_of(replica).get("master_link_status") == "up", within_s=_HEAL_S)
        self.sentinels = [Sentinel(self._folder / f"sentinel-{number}", master) for number in range(_SENTINELS)]
        for sentinel in self.sentinels:
            sentinel.start()
        wait_until(self._is_whole, within_s=_HEAL_S, what="sentinels that know each other")
        return self

    def __exit__(self, *_: object) -> None:
        for server in (*self.sentinels, *self.servers):
            server.kill()

    def primary(self, prefix: str) -> RedisServer:
        """The master; waits for a failover under way."""
        return wait_until(self._master, within_s=_HEAL_S, what="a master")

    def heal(self) -> None:
        """Start what was killed and thaw what was frozen, as a replica of the other; wait until the sentinels agree."""
        for sentinel in self.sentinels:
            if not sentinel.is_running():
                sentinel.start()
        master = self.primary("")
        for server in self.servers:
            if not server.is_running():
                server.start()
            server.thaw()
            if server is not master and role_of(server).get("role") == "master":
                # The sentinels would do so, after some 10 s.
                with client_of(server) as client:
                    client.replicaof(HOST, master.port)
        wait_until(self._is_whole, within_s=_HEAL_S, what="master and replica")

    def _master(self) -> RedisServer | None:
        """Whom all sentinels mean: one that was killed or frozen may call itself a master, too."""
        ports = {sentinel.master_port() for sentinel in self.sentinels if sentinel.is_running()}
        meant = [server for server in self.servers if {server.port} == ports]
        return meant[0] if meant and role_of(meant[0]).get("role") == "master" else None

    def _is_whole(self) -> bool:
        roles = [role_of(server) for server in self.servers]
        linked = [role for role in roles if role.get("master_link_status") == "up"]
        return (
            len(linked) == 1 and self._master() is not None and all(sentinel.sees_all() for sentinel in self.sentinels)
        )


class Sentinel(RedisServer):
    """One of them."""

    def __init__(self, folder: Path, master: RedisServer) -> None:
        folder.mkdir(parents=True)
        super().__init__(folder, password=WATCH_PASSWORD)
        self._master_port = master.port

    def start(self) -> Self:
        lines = [
            f"sentinel monitor {SERVICE} {HOST} {self._master_port} 2",
            f"sentinel auth-pass {SERVICE} {PASSWORD}",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
            # Half of the shortest pause between two failovers.
            f"sentinel failover-timeout {SERVICE} 1500",
            f"sentinel sentinel-pass {WATCH_PASSWORD}",
        ]
        config = self.folder / "sentinel.conf"
        if not config.exists():
            config.write_text("\n".join(lines) + "\n")
        return super().start()

    def master_port(self) -> int:
        """Where it says that the master is."""
        _, port = self.ask("GET-MASTER-ADDR-BY-NAME", SERVICE)
        return int(port)

    def sees_all(self) -> bool:
        """Whether it knows the other sentinels and a replica, and thinks well of all."""
        try:
            flat = [part.decode() for part in self.ask("MASTER", SERVICE)]
        except redis.RedisError:
            return False
        state = dict(zip(flat[::2], flat[1::2], strict=True))
        replicas = [dict(zip(flat[::2], flat[1::2], strict=True)) for flat in self.ask("REPLICAS", SERVICE)]
        is_seen = any(replica[b"flags"] == b"slave" for replica in replicas)
        return state["flags"] == "master" and state["num-other-sentinels"] == str(_SENTINELS - 1) and is_seen

    def ask(self, *command: Any) -> Any:
        """The raw reply to one SENTINEL command."""
        with self.client() as client:
            client.response_callbacks.clear()
            return client.execute_command("SENTINEL", *command)

    def _command(self) -> list[str]:
        binary, *options = super()._command()
        return [binary, str(self.folder / "sentinel.conf"), *options, "--sentinel"]


def _server(folder: Path) -> RedisServer:
    folder.mkdir(parents=True)
    settings = ["--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]
    return RedisServer(folder, password=PASSWORD, options=settings)
