"""`main.py queue ...` and `main.py job ...` on a real server."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from bullworks.cli.running import run
from tests.bullworks.cli.conftest import Command
from tests.bullworks.waiting import eventually

MAIL = {"email": "user@example.com"}


def add(command: Command, *arguments: str) -> str:
    """The id of a new job in the queue `email`."""
    added = command("queue", "add", "email", "welcome", json.dumps(MAIL), "--new", "--json", *arguments)
    assert added.code == 0, added.err
    return str(added.json["id"])


async def fail_all(redis_url: str, prefix: str, count: int) -> None:
    async def fail(job: Job) -> None:
        raise ValueError("on purpose\x1b[2J")

    async with (
        Queue("email", connection=redis_url, prefix=prefix) as queue,
        Worker("email", fail, connection=redis_url, prefix=prefix),
    ):

        async def have_failed() -> bool:
            return (await queue.get_job_counts("failed"))["failed"] == count

        await eventually(have_failed)


def test_add_takes_json_and_options(command: Command, redis_url: str, key_prefix: str) -> None:
    job_id = add(command, "--attempts", "3", "--backoff", "1m", "--delay", "5s", "--priority", "2")
    facts = command("job", "show", job_id, "--json").json
    assert (facts["state"], facts["priority"], facts["data"]) == ("delayed", 2, MAIL)

    async def opts() -> Any:
        async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
            job = await queue.get_job(job_id)
            assert job is not None
            return job.opts

    read = run(opts())
    assert (read.attempts, read.delay_ms) == (3, 5_000)
    assert (read.backoff.type, read.backoff.delay_ms) == ("exponential", 60_000)


def test_add_with_an_id_adds_once(command: Command) -> None:
    assert add(command, "--id", "order-7") == add(command, "--id", "order-7") == "order-7"
    assert command("queue", "counts", "email", "--json").json["waiting"] == 1


def test_add_reads_standard_input(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"big": true}'))
    job_id = command("queue", "add", "email", "mail", "-", "--new", "--json").json["id"]
    assert command("job", "show", job_id, "--json").json["data"] == {"big": True}


def test_add_refuses_what_is_not_json(command: Command) -> None:
    ran = command("queue", "add", "email", "welcome", "{'email': 1}", "--new")
    assert ran.code == 2
    assert "the data is not JSON" in ran.err
    assert "column 2" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--priority", "-1"), "priority"),
        (("--id", "7"), "is a number"),
        (("--delay", "soon"), "is not a duration"),
        (("--attempts", "many"), "valid int"),
    ],
)
def test_add_refuses_bad_options(command: Command, arguments: tuple[str, str], said: str) -> None:
    ran = command("queue", "add", "email", "welcome", "null", "--new", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_add_to_an_unknown_queue_wants_to_be_told_that_it_is_new(command: Command) -> None:
    add(command)
    ran = command("queue", "add", "emial", "welcome")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: there is no queue 'emial'. Did you mean 'email'? Use --new to create it.\n"
    assert list(command("queue", "list", "--json").json) == ["email"]


def test_list_shows_each_queue_with_its_counts(command: Command) -> None:
    assert command("queue", "list").out == "There are no queues yet.\n"
    add(command)
    command("queue", "add", "reports", "weekly", "--new", "--delay", "1h")
    listed = command("queue", "list", "--json").json
    assert (listed["email"]["waiting"], listed["reports"]["delayed"]) == (1, 1)
    header, *rows = command("queue", "list").out.splitlines()
    assert header.split()[0] == "queue"
    assert [row.split()[0] for row in rows] == ["email", "reports"]


def test_a_prefix_is_no_pattern(command: Command, monkeypatch: pytest.MonkeyPatch, key_prefix: str) -> None:
    add(command)
    monkeypatch.setenv("QUEUE_PREFIX", f"{key_prefix[:-1]}?")
    assert command("queue", "list", "--json").json == {}


def test_counts_are_by_state(command: Command) -> None:
    add(command)
    lines = dict(line.split() for line in command("queue", "counts", "email").out.splitlines())
    assert (lines["waiting"], lines["failed"]) == ("1", "0")


def test_pause_and_resume_reach_redis(command: Command, redis_url: str, key_prefix: str) -> None:
    add(command)

    async def is_paused() -> Any:
        async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
            return await queue.connection.execute("HGET", queue.keys.of("meta"), "paused")

    assert command("queue", "pause", "email").out == "Paused email.\n"
    assert run(is_paused()) == b"1"
    assert command("queue", "resume", "email").out == "Resumed email.\n"
    assert run(is_paused()) is None


def test_drain_removes_what_waits(command: Command) -> None:
    add(command)
    add(command, "--delay", "1h")
    assert command("queue", "drain", "email", "--yes").code == 0
    counts = command("queue", "counts", "email", "--json").json
    assert (counts["waiting"], counts["delayed"]) == (0, 1)
    command("queue", "drain", "email", "--delayed", "--yes")
    assert command("queue", "counts", "email", "--json").json["delayed"] == 0


def test_drain_asks_a_person_first(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    class Person(io.StringIO):
        def isatty(self) -> bool:
            return True

    add(command)
    monkeypatch.setattr(sys, "stdin", Person("n\n"))
    assert command("queue", "drain", "email").code == 1
    assert command("queue", "counts", "email", "--json").json["waiting"] == 1


def test_failed_jobs_are_shown_retried_and_cleaned(command: Command, redis_url: str, key_prefix: str) -> None:
    ids = [add(command) for _ in range(3)]
    run(fail_all(redis_url, key_prefix, 3))
    shown = command("job", "show", ids[0]).out
    assert "failed" in shown
    assert r"on purpose\x1b[2J" in shown
    assert "\x1b" not in shown
    assert command("queue", "retry", "email", ids[0]).out == "Run again in email: 1.\n"
    assert command("queue", "retry", "email").out == "Run again in email: 2.\n"
    assert command("queue", "counts", "email", "--json").json["waiting"] == 3
    run(fail_all(redis_url, key_prefix, 3))
    assert command("queue", "clean", "email", "failed", "--grace", "1h").out == "Removed from email, failed: 0.\n"
    assert command("queue", "clean", "email", "failed").out == "Removed from email, failed: 3.\n"


def test_retry_of_a_job_that_has_not_failed_is_an_error(command: Command) -> None:
    job_id = add(command)
    ran = command("queue", "retry", "email", job_id)
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert command("queue", "retry", "email", "no-such-job").err == "error: there is no job 'no-such-job' in email\n"


def test_replay_brings_dead_letters_back(command: Command, redis_url: str, key_prefix: str) -> None:
    add(command)
    add(command)
    run(fail_all(redis_url, key_prefix, 2))

    async def collect() -> None:
        async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
            assert await queue.dead_letters().collect() == 2

    run(collect())
    assert command("queue", "counts", "email-dead", "--json").json["waiting"] == 2
    assert command("queue", "replay", "email", "--limit", "1").out == "Replayed to email: 1.\n"
    assert command("queue", "counts", "email", "--json").json["waiting"] == 1
    ran = command("queue", "replay", "email", "no-such-letter")
    assert (ran.code, ran.err) == (1, "error: job no-such-letter: not found, so replay did nothing; it was removed\n")


@pytest.mark.parametrize("name", ["counts", "pause", "resume", "clean", "drain", "retry", "replay"])
def test_an_unknown_queue_is_an_error_everywhere(command: Command, name: str) -> None:
    add(command)
    ran = command("queue", name, "emial")
    assert (ran.code, ran.err) == (1, "error: there is no queue 'emial'. Did you mean 'email'?\n")


def test_a_job_is_signalled_and_runs_again_from_a_step(command: Command, redis_url: str, key_prefix: str) -> None:
    job_id = add(command)
    assert command("job", "signal", job_id, "go", "--data", "[7]").out.startswith(
        f"Job {job_id} of email has the signal"
    )
    assert command("job", "signal", job_id, "go", "--queue", "email").out.endswith("it keeps the first.\n")
    assert "the data is not JSON" in command("job", "signal", job_id, "go", "--data", "{").err

    async def handle(job: Job) -> Any:
        await job.step("charge", lambda: "paid\x1b[2J")
        return await job.wait_for("go")

    async def work() -> None:
        async with (
            Queue("email", connection=redis_url, prefix=key_prefix) as queue,
            Worker("email", handle, connection=redis_url, prefix=key_prefix),
        ):
            job = await queue.get_job(job_id)
            assert job is not None
            assert await job.wait_until_finished(ttl=10_000) == [7]

    run(work())
    shown = command("job", "show", job_id)
    assert r'charge (step): "paid\u001b[2J"' in shown.out
    assert command("job", "show", job_id, "--json").json["steps"][1] == "go (wait): kept"
    assert command("job", "retry-from", job_id, "ship").err == (
        f"error: job {job_id}: it has done no step 'ship' to run again from, but 'charge', 'go'; job.retry() runs what "
        "was not done\n"
    )
    assert command("job", "retry-from", job_id, "go").out == f"Job {job_id} of email runs again from 'go'.\n"
    assert command("job", "show", job_id, "--json").json["state"] == "waiting"


def test_cancel_tells_what_came_of_each_job(command: Command) -> None:
    job_id = add(command)
    ran = command("queue", "cancel", "email", job_id, "nobody", "--reason", "by mistake", "--json")
    assert (ran.code, ran.json) == (1, {job_id: "cancelled", "nobody": "missing"})
    assert command("job", "show", job_id, "--json").json["failed_reason"] == "cancelled: by mistake"
    assert command("job", "cancel", job_id).out == f"Job {job_id} of email had ended before.\n"
    assert (
        command("queue", "cancel", "emial", job_id).err == "error: there is no queue 'emial'. Did you mean 'email'?\n"
    )


def test_cancel_removes_where_it_is_told_to(command: Command) -> None:
    job_id = add(command)
    assert command("queue", "cancel", "email", job_id, "--remove").code == 0
    assert command("job", "cancel", job_id).code == 1


def test_show_finds_the_queue_and_asks_when_there_are_two(command: Command) -> None:
    first = add(command, "--id", "same")
    assert command("job", "show", first, "--json").json["queue"] == "email"
    command("queue", "add", "reports", "weekly", "--new", "--id", "same")
    ran = command("job", "show", "same")
    assert (ran.code, ran.err) == (
        1,
        "error: several queues have a job 'same'. Choose one with --queue email or reports\n",
    )
    assert command("job", "show", "same", "--queue", "reports", "--json").json["name"] == "weekly"
    assert command("job", "show", "none").err == "error: no queue has a job 'none'\n"
    assert command("job", "show", "none", "--queue", "email").err == "error: there is no job 'none' in email\n"
