"""The workers of a queue, as Redis's list of clients knows them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from app.bullmq.keys import QueueKeys


@dataclass(frozen=True, slots=True)
class WorkerClient:
    """One worker's blocking connection, of whatever language.

    Attributes:
        name: of the queue, as in Node's getWorkers().
        worker_name: the worker's own, where it has one.
        raw_name: what the connection is called in Redis.
        id: of the connection.
        address: host:port of the worker.
        age_s, idle_s: since it connected, and since its last command.
        fields: all of CLIENT LIST, by Redis's names.
    """

    name: str
    worker_name: str | None
    raw_name: str
    id: int
    address: str
    age_s: int
    idle_s: int
    fields: Mapping[str, str] = field(repr=False)


def parse_workers(client_list: str, keys: QueueKeys) -> list[WorkerClient]:
    """The workers of one queue in the reply to CLIENT LIST. Source: what npm bullmq 6.7 calls its connections."""
    return list(_parsed(client_list, keys))


def _parsed(client_list: str, keys: QueueKeys) -> Iterator[WorkerClient]:
    unnamed = keys.client_name(None)
    named = f"{unnamed}:w:"  # QueueEvents' end in ":qe"
    for line in client_list.splitlines():
        fields = {name: value for name, _, value in (part.partition("=") for part in line.split(" "))}
        raw_name = fields.get("name", "")
        if raw_name != unnamed and not raw_name.startswith(named):
            continue
        yield WorkerClient(
            name=keys.name,
            worker_name=raw_name.removeprefix(named) if raw_name != unnamed else None,
            raw_name=raw_name,
            id=int(fields.get("id", 0)),
            address=fields.get("addr", ""),
            age_s=int(fields.get("age", 0)),
            idle_s=int(fields.get("idle", 0)),
            fields=fields,
        )
