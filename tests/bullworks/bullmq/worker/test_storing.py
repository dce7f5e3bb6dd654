"""advance.lua, outcome by outcome: each is stored whole or not at all, and none spoils the others."""

from typing import Any

import pytest

from bullworks.bullmq import JobSpec
from bullworks.bullmq.scripts.processing import FetchTerms
from bullworks.bullmq.scripts.worker import WorkerScripts
from tests.bullworks.bullmq.worker.conftest import Bench

TOKEN = "token"


class Trips:
    """Takes jobs and stores outcomes, many at once."""

    def __init__(self, bench: Bench) -> None:
        connection = bench.queue.connection
        self._scripts = WorkerScripts(connection, connection, bench.queue.keys, FetchTerms())

    async def take(self, count: int) -> list[str]:
        _, fetched = await self._scripts.advance([], count, TOKEN, "")
        return [job_id.decode() for job_id in fetched.jobs[::2]]

    async def store(self, *outcomes: tuple[str, ...]) -> list[Any]:
        """Each is (kind, id), or more of what an outcome has."""
        filler = ("", "", "null", "", "[]", "")
        whole = [(kind, job_id, TOKEN, *rest, *filler[2 + len(rest) :]) for kind, job_id, *rest in outcomes]
        codes, _ = await self._scripts.advance(whole, 0, TOKEN, "")
        return codes


@pytest.fixture
def trips(bench: Bench) -> Trips:
    return Trips(bench)


async def test_each_outcome_of_a_batch_has_its_own_answer(bench: Bench, trips: Trips):
    jobs = await bench.queue.add_bulk([JobSpec("n", i) for i in range(7)])
    ids = [job.id for job in jobs]
    assert await trips.take(7) == ids
    await bench.command("DEL", bench.key(ids[1]))
    await bench.command("DEL", bench.key(f"{ids[2]}:lock"))
    await bench.command("SET", bench.key(f"{ids[3]}:lock"), "another's")
    await bench.command("LREM", bench.key("active"), 1, ids[4])
    await bench.command("SADD", bench.key(f"{ids[5]}:dependencies"), "x")
    await bench.command("ZADD", bench.key(f"{ids[6]}:unsuccessful"), 1, "x")
    assert await trips.store(*(("complete", job_id) for job_id in ids)) == [0, -1, -2, -6, -3, -4, -9]
    assert await bench.ids("completed") == [ids[0]]
    assert await trips.store(("wait_for_children", ids[5], ""), ("wait_for_children", ids[6], "")) == [0, -9]


async def test_a_job_with_no_open_children_has_nothing_to_wait_for(bench: Bench, trips: Trips):
    job = await bench.queue.add("n")
    await trips.take(1)
    assert await trips.store(("wait_for_children", job.id, "")) == [1]
    assert await bench.ids("active") == [job.id]


async def test_the_same_outcome_twice_is_stored_once(bench: Bench, trips: Trips):
    kept, removed = await bench.queue.add_bulk([JobSpec("n"), JobSpec("n")])
    await trips.take(2)
    twice = [("complete", kept.id), ("complete", kept.id)]
    assert await trips.store(*twice, *([("complete", removed.id, "1", "0")] * 2)) == [0, -3, 0, -3]
    assert await trips.store(*twice) == [-2, -2]
    events = [event["event"] for event in await bench.events()]
    assert events.count("completed") == 2
    assert await bench.command("EXISTS", bench.key(removed.id), bench.key(f"{removed.id}:lock")) == 0


async def test_all_that_belongs_to_a_removed_job_goes_with_it(bench: Bench, trips: Trips):
    plain, rich = await bench.queue.add_bulk([JobSpec("n"), JobSpec("n")])
    await rich.log("a line")
    await bench.command("HSET", bench.key(f"{rich.id}:processed"), "child", "1")
    await bench.command("HSET", bench.key(f"{rich.id}:failed"), "child", "why")
    await trips.take(2)
    assert await trips.store(("complete", plain.id, "1", "0"), ("complete", rich.id, "1", "0")) == [0, 0]
    left = await bench.command("KEYS", f"{bench.prefix}:work:[0-9]*")
    assert left == []


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("completed", "complete"), ("failed", "fail"), ("wait", "retry"), ("delayed", "delay"), ("delayed", "postpone"),
        ("wait", "hand_back"), ("prioritized", "release"), ("waiting-children", "wait_for_children"),
        ("stalled", "complete"), ("events", "complete"),
    ],
)  # fmt: skip
async def test_a_destination_of_another_type_is_named_and_nothing_is_written(
    bench: Bench, trips: Trips, suffix: str, kind: str
):
    job = await bench.queue.add("n")
    await trips.take(1)
    await bench.command("DEL", bench.key(suffix))
    await bench.command("SET", bench.key(suffix), "a text")
    before = await bench.hash(job.id)
    (code,) = await trips.store((kind, job.id))
    assert code.decode().startswith(f"WRONGTYPE {bench.key(suffix)} is a string")
    assert await bench.hash(job.id) == before
    assert await bench.ids("active") == [job.id]
    assert await bench.command("GET", bench.key(f"{job.id}:lock")) == TOKEN.encode()


@pytest.mark.parametrize("suffix", ["p:dependencies", "p:processed", "p:failed", "p:unsuccessful", "wait", "delayed"])
async def test_a_parents_key_of_another_type_is_named_before_anything_is_written(
    bench: Bench, trips: Trips, suffix: str
):
    other = f"{bench.prefix}:other"
    await bench.command("HSET", f"{other}:p", "name", "parent")
    child = await bench.queue.add("n", {}, parent={"id": "p", "queue": other})
    good = await bench.queue.add("n")
    await trips.take(2)
    await bench.command("DEL", f"{other}:{suffix}")
    await bench.command("SET", f"{other}:{suffix}", "a text")
    code, stored = await trips.store(("complete", child.id), ("complete", good.id))
    assert code.decode().startswith(f"WRONGTYPE {other}:{suffix} is a string")
    assert stored == 0
    assert await bench.ids("active") == [child.id]
    await bench.command("DEL", f"{other}:{suffix}")
    assert await trips.store(("complete", child.id)) == [0]


@pytest.mark.parametrize("suffix", ["de:d", "dn:d"])
async def test_so_is_a_deduplication_key(bench: Bench, trips: Trips, suffix: str):
    job = await bench.queue.add("n", deduplication={"id": "d"})
    await trips.take(1)
    await bench.command("DEL", bench.key(suffix))
    await bench.command("SADD", bench.key(suffix), "x")
    (code,) = await trips.store(("complete", job.id))
    assert code.decode().startswith(f"WRONGTYPE {bench.key(suffix)} is a set")
    assert await bench.ids("active") == [job.id]


async def test_an_error_half_way_puts_the_job_back_with_its_lock(bench: Bench, trips: Trips):
    broken, good = await bench.queue.add_bulk([JobSpec("n", deduplication={"id": "d"}), JobSpec("n")])
    await trips.take(2)
    await bench.command("HSET", bench.key("dn:d"), "name", "a next job, but of no id")
    code, stored = await trips.store(("complete", broken.id, "1", "0"), ("complete", good.id, "1", "0"))
    assert b"arguments" in code
    assert stored == 0
    assert await bench.ids("active") == [broken.id]
    assert await bench.command("GET", bench.key(f"{broken.id}:lock")) == TOKEN.encode()
    assert await trips.store(("complete", broken.id, "1", "0")) == [0]


async def test_a_child_that_comes_with_an_outcome_keeps_its_parent_in_the_same_batch(bench: Bench, trips: Trips):
    """What waited for a deduplication id is added when its owner ends, and may be a child of the next outcome's job."""
    owner, parent = await bench.queue.add_bulk([JobSpec("n", deduplication={"id": "d"}), JobSpec("parent")])
    await trips.take(2)
    await bench.command(
        "HSET", bench.key("dn:d"), "name", "next", "data", "{}", "opts", "{}", "jid", "kept",
        "pk", bench.key(parent.id), "pd", f'{{"id":"{parent.id}","queueKey":"{bench.prefix}:work"}}',
    )  # fmt: skip
    assert await trips.store(("complete", owner.id), ("complete", parent.id)) == [0, -4]
    assert await bench.ids("wait") == ["kept"]


async def test_handed_back_jobs_keep_their_order_and_a_release_undoes_the_fetch(bench: Bench, trips: Trips):
    jobs = await bench.queue.add_bulk([JobSpec("n"), JobSpec("n", priority=2)])
    await trips.take(2)
    assert await trips.store(("hand_back", jobs[0].id), ("release", jobs[1].id)) == [0, 0]
    assert await trips.take(2) == [job.id for job in jobs]
    assert [(await bench.hash(job.id))["ats"] for job in jobs] == ["2", "1"]
