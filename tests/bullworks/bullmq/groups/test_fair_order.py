"""Groups are served in turn, in the order that any worker takes jobs in."""

from __future__ import annotations

from collections import Counter

import pytest

from bullworks.bullmq import InvalidOptionError, Job, JobSpec, Queue
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.bullmq.keyspace import Keyspace


def jobs_of(group: str, count: int, **more: float) -> list[JobSpec]:
    return [JobSpec("work", {"of": group}, group={"id": group, **more}) for _ in range(count)]  # type: ignore[typeddict-item]


async def order_of_groups(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> str:
    """Takes and completes all jobs; the groups in the order in which their jobs came."""
    order = ""
    while (job_id := await hand.take()) is not None:
        order += (await keyspace.hash(job_id))["gid"]
        await hand.complete()
    return order


async def test_groups_take_turns_and_a_heavy_one_has_more_of_them(
    queue: Queue, hand: HandWorker, keyspace: Keyspace
) -> None:
    await queue.add_bulk(jobs_of("A", 10))
    await queue.add_bulk(jobs_of("B", 3) + jobs_of("C", 3) + jobs_of("D", 6, weight=2))
    assert await order_of_groups(queue, hand, keyspace) == "ABCDDABCDDABCDDAAAAAAA"


async def test_a_light_group_has_a_turn_now_and_then(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    await queue.add_bulk(jobs_of("A", 8) + jobs_of("B", 4, weight=0.5))
    assert await order_of_groups(queue, hand, keyspace) == "ABAABAABAABA"


async def test_a_late_group_waits_for_one_turn_only(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    await queue.add_bulk(jobs_of("A", 200))
    for _ in range(50):
        await hand.take()
        await hand.complete()
    await queue.add_bulk(jobs_of("B", 2))
    assert (await order_of_groups(queue, hand, keyspace)).startswith("ABABAAAA")


async def test_nothing_is_left_once_all_have_ended(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    await queue.add_bulk([spec for number in range(50) for spec in jobs_of(f"g{number}", 2)])
    assert await queue.get_groups_count() == 50
    await order_of_groups(queue, hand, keyspace)
    assert [key for key in await keyspace.keys() if key.startswith("bw:")] == []


async def test_a_job_without_a_group_is_stored_as_ever(queue: Queue, keyspace: Keyspace) -> None:
    plain = await queue.add("work", {"n": 1})
    await queue.add("work", {"n": 1}, group={"id": "A"})
    assert (await keyspace.hash(plain.id)).keys() == {"name", "data", "opts", "timestamp", "delay", "priority"}
    assert (await keyspace.hash(plain.id))["opts"] == (await keyspace.hash("2"))["opts"]
    assert await keyspace.ids("wait") == [plain.id]


@pytest.mark.parametrize("group", ['{"id": "A", "weight": 1e308}', '{"id": "A", "weight": 1e-300}', '{"id": 7}'])
async def test_odd_groups_that_others_wrote_stop_nobody(
    queue: Queue, hand: HandWorker, keyspace: Keyspace, group: str
) -> None:
    """Given three jobs as Node would have added them, with a weight past all measure, or a number as id."""
    for _ in range(3):
        job = await queue.add("work")
        await keyspace.command(
            "HSET", keyspace.key(job.id), "opts", f'{{"attempts":0,"group":{group}}}'.replace(": ", ":")
        )
    await queue.add_bulk(jobs_of("B", 3))
    order = await order_of_groups(queue, hand, keyspace)
    assert sorted(order) == sorted(("7" if "7" in group else "A") * 3 + "BBB")
    await queue.add_bulk(jobs_of("C", 2) + jobs_of("D", 2))
    assert await order_of_groups(queue, hand, keyspace) == "CDCD"


NO_GROUPS = [
    "{}", '{"id":""}', '{"name":"A"}', '{"id":null}', '{"id":{"a":1}}', '{"id":[1]}', '{"id":true}', '{"id":1.5}',
    '{"id":1e300}',
]  # fmt: skip


@pytest.mark.parametrize("opts", [*(f'{{"group":{group}}}' for group in NO_GROUPS), '{"group":{"id":'])
async def test_what_names_no_group_is_a_job_without_one(
    queue: Queue, hand: HandWorker, keyspace: Keyspace, opts: str
) -> None:
    job = await queue.add("work")
    await keyspace.command("HSET", keyspace.key(job.id), "opts", opts)
    if opts.endswith("}"):
        found = await queue.get_job(job.id)
        assert found is not None
        assert found.group is None
    assert await hand.take() == job.id
    assert "gid" not in await keyspace.hash(job.id)


@pytest.mark.parametrize(("number", "group"), [("0", "0"), ("1.0", "1"), ("1e15", "1000000000000000"), ("-3", "-3")])
async def test_a_whole_number_names_the_same_group_whoever_reads_it(
    queue: Queue, hand: HandWorker, keyspace: Keyspace, number: str, group: str
) -> None:
    job = await queue.add("work")
    await keyspace.command("HSET", keyspace.key(job.id), "opts", f'{{"group":{{"id":{number}}}}}')
    found = await queue.get_job(job.id)
    assert found is not None
    assert found.group == group
    assert await hand.take() == job.id
    assert (await keyspace.hash(job.id))["gid"] == group


async def test_jobs_know_their_group(queue: Queue, hand: HandWorker) -> None:
    added = await queue.add("work", group={"id": "żółw ☃"})
    assert added.group == "żółw ☃"
    found: Job | None = await queue.get_job(added.id)
    assert found is not None
    assert found.group == "żółw ☃"
    assert (await queue.add("work")).group is None


async def test_a_retry_joins_the_end_of_its_group(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    failed = await queue.add("work", group={"id": "A"})
    await hand.take()
    await hand.fail()
    await queue.add_bulk(jobs_of("A", 1) + jobs_of("B", 3))
    await (await queue.get_failed())[0].retry()
    assert await keyspace.ids("prioritized") == ["2", "3", "4", failed.id, "5"]


async def test_jobs_that_become_due_are_ranked_then(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    """Given many delayed jobs of A and some of B, all due at once, they are served in turn."""
    await queue.add_bulk([JobSpec("work", delay=1, group={"id": "A"}) for _ in range(20)])
    await queue.add_bulk([JobSpec("work", delay=1, group={"id": "B"}) for _ in range(3)])
    await queue.promote_jobs()
    assert (await order_of_groups(queue, hand, keyspace)).startswith("ABABABAAA")


async def test_what_is_handed_back_is_the_next_again(queue: Queue, hand: HandWorker) -> None:
    await queue.add_bulk(jobs_of("A", 3))
    assert await hand.take() == "1"
    await hand._finish("release", "", "", "")
    assert await hand.take() == "1"


async def test_ungrouped_priorities_do_not_stop_the_clock(queue: Queue, hand: HandWorker, keyspace: Keyspace) -> None:
    """Given a job with the lowest of priorities, or the highest, groups are served as if it were not there."""
    await queue.add("plain", priority=2_000_000)
    await queue.add("plain", priority=3)
    await queue.add_bulk(jobs_of("A", 10) + jobs_of("B", 2))
    priorities = [int((await keyspace.hash(job_id))["priority"]) for job_id in await keyspace.ids("prioritized")]
    assert Counter(priorities) == Counter([3, *range(2, 12), 2, 3, 2_000_000])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"group": "A"}, "group: must be"),
        ({"group": {}}, "group.id: must be a non-empty string"),
        ({"group": {"id": ""}}, "group.id: must be a non-empty string"),
        ({"group": {"id": "A", "wieght": 2}}, "did you mean group.weight"),
        ({"group": {"id": "A", "weight": 0}}, "group.weight: must be a number"),
        ({"group": {"id": "A", "weight": float("nan")}}, "group.weight: must be a number"),
        ({"group": {"id": "A"}, "priority": 1}, "priority: cannot be used together with group"),
        ({"group": {"id": "A"}, "lifo": True}, "lifo: cannot be used together with group"),
        (
            {"group": {"id": "A"}, "deduplication": {"id": "d", "keep_last_if_active": True}},
            "keep_last_if_active: cannot be used together with group",
        ),
        ({"group": {"id": "A"}, "repeat": {"every": 1000}}, "group: cannot be given to a scheduler's jobs"),
    ],
)
async def test_what_makes_no_sense_is_refused(queue: Queue, options: dict[str, object], text: str) -> None:
    with pytest.raises(InvalidOptionError, match=text):
        await queue.add("work", **options)  # type: ignore[arg-type]


async def test_another_priority_is_refused(queue: Queue) -> None:
    job = await queue.add("work", group={"id": "A"})
    with pytest.raises(Exception, match="it belongs to a group"):
        await job.change_priority(priority=5)
