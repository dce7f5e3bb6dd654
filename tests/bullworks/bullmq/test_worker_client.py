"""Which of Redis's clients are workers of a queue."""

from __future__ import annotations

from bullworks.bullmq.keys import QueueKeys
from bullworks.bullmq.queue.clients import parse_listeners, parse_workers

# As redis-server 7 answered while npm bullmq's workers and QueueEvents of queue "q" were connected.
LISTING = """\
id=30 addr=127.0.0.1:56986 laddr=127.0.0.1:7399 fd=7 name= age=0 idle=0 flags=N db=5 cmd=client|list user=default
id=33 addr=127.0.0.1:57022 laddr=127.0.0.1:7399 fd=11 name=bull:cQ==:w:wname age=12 idle=3 flags=N db=5 cmd=info
id=40 addr=127.0.0.1:57120 laddr=127.0.0.1:7399 fd=13 name=bull:cQ== age=1 idle=0 flags=b db=5 cmd=bzpopmin
id=41 addr=127.0.0.1:57121 laddr=127.0.0.1:7399 fd=14 name=bull:cQ==:qe age=1 idle=0 flags=b db=5 cmd=xread
id=42 addr=127.0.0.1:57122 laddr=127.0.0.1:7399 fd=15 name=bull:cXE= age=1 idle=0 flags=b db=5 cmd=bzpopmin
id=43 addr=127.0.0.1:57123 laddr=127.0.0.1:7399 fd=16 name=other:cQ== age=1 idle=0 flags=b db=5 cmd=bzpopmin
"""


def test_workers_are_those_whose_connection_bears_the_queues_name() -> None:
    workers = parse_workers(LISTING, QueueKeys("bull", "q"))
    assert [(worker.id, worker.worker_name, worker.name) for worker in workers] == [(33, "wname", "q"), (40, None, "q")]


def test_each_says_where_it_is_and_how_long_it_has_been_there() -> None:
    named, _ = parse_workers(LISTING, QueueKeys("bull", "q"))
    assert (named.address, named.age_s, named.idle_s) == ("127.0.0.1:57022", 12, 3)
    assert named.raw_name == "bull:cQ==:w:wname"
    assert named.fields["cmd"] == "info"


def test_a_worker_of_a_name_with_w_in_it_keeps_its_name() -> None:
    line = "id=1 name=bull:cQ==:w:a:w:b addr=x age=0 idle=0"
    assert [worker.worker_name for worker in parse_workers(line, QueueKeys("bull", "q"))] == ["a:w:b"]


def test_a_server_that_says_little_is_understood() -> None:
    (worker,) = parse_workers("name=bull:cQ==", QueueKeys("bull", "q"))
    assert (worker.id, worker.address, worker.age_s) == (0, "", 0)


def test_listeners_are_those_whose_connection_ends_like_nodes() -> None:
    (listener,) = parse_listeners(LISTING, QueueKeys("bull", "q"))
    assert (listener.id, listener.name, listener.worker_name, listener.address) == (41, "q", None, "127.0.0.1:57121")
