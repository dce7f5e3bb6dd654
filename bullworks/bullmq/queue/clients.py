"""The workers and listeners of a queue, as Redis's list of clients knows them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bullworks.bullmq.keys import QueueKeys


@dataclass(frozen=True, slots=True)
class WorkerClient:
    """A Redis connection of a worker or a QueueEvents, from any BullMQ library.

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
    """Parse the workers of one queue from a CLIENT LIST reply. Source: connection names of npm bullmq 6.7."""
    unnamed = keys.client_name(None)
    named = f"{unnamed}:w:"  # QueueEvents' end in ":qe"
    return [
        client
        for client in _parse(client_list, keys, named)
        if client.raw_name == unnamed or client.raw_name.startswith(named)
    ]


def parse_listeners(client_list: str, keys: QueueKeys) -> list[WorkerClient]:
    """Parse the QueueEvents of one queue from a CLIENT LIST reply."""
    name = keys.events_client_name()
    return [client for client in _parse(client_list, keys, name) if client.raw_name == name]


def client_fields(client_list: str) -> Iterator[dict[str, str]]:
    """The fields of each client in the reply to CLIENT LIST, by Redis's names."""
    for line in client_list.splitlines():
        yield {name: value for name, _, value in (part.partition("=") for part in line.split(" "))}


def _parse(client_list: str, keys: QueueKeys, named: str) -> Iterator[WorkerClient]:
    """All clients; what follows `named` in the name of a connection is the worker's own."""
    for fields in client_fields(client_list):
        raw_name = fields.get("name", "")
        yield WorkerClient(
            name=keys.name,
            worker_name=raw_name.removeprefix(named) or None if raw_name.startswith(named) else None,
            raw_name=raw_name,
            id=int(fields.get("id", 0)),
            address=fields.get("addr", ""),
            age_s=int(fields.get("age", 0)),
            idle_s=int(fields.get("idle", 0)),
            fields=fields,
        )
