"""Who may do what, read-only boards, and the audit trail that each change leaves."""

from __future__ import annotations

import logging
from typing import Any, get_args

import pytest

from bullworks.board import Access, Action, AuditEvent, BoardQueue, basic_auth, board_app
from bullworks.board.api.routes import ROUTES
from bullworks.bullmq import Queue
from tests.bullworks.board.client import BoardClient
from tests.bullworks.board.conftest import MakeBoard, OpenQueue

BODIES: dict[str, Any] = {
    "queues/:queue/add": {"name": "job"},
    "queues/:queue/concurrency": {"concurrency": 2},
    "queues/:queue/rate-limit": {"max": 1, "duration": 1_000},
    "queues/:queue/obliterate": {"force": True},
    "queues/:queue/job-schedulers/:scheduler": {"every": 5_000},
    "metrics/history/purge": {"queue": "email"},
    "queues/:queue/:job/update-data": {"jobData": 1},
    "queues/:queue/:job/delay": {"runAt": 5},
    "queues/:queue/:job/priority": {"priority": 1},
}
EVERY_CHANGE = [(route.method, route.path, route.action) for route in ROUTES if route.action != "read"]


def path_of(pattern: str) -> str:
    path = pattern.replace(":queue", "email").replace(":job", "1").replace(":status", "failed")
    return "api/" + path.replace(":scheduler", "nightly")


async def keys(queue: Queue[Any]) -> dict[bytes, bytes | None]:
    """All that lies in Redis of the queue, as DUMP has it."""
    connection = queue.connection
    _, names = await connection.execute("SCAN", 0, "MATCH", f"{queue.keys.base}*", "COUNT", 100_000)
    return {name: await connection.execute("DUMP", name) for name in sorted(names)}


async def stocked(queue: Queue[Any]) -> None:
    await queue.wait_until_ready()
    await queue.add("job", {"n": 1})
    await queue.upsert_job_scheduler("nightly", {"pattern": "0 3 * * *"})


def test_every_change_of_the_contract_has_an_action_of_its_own() -> None:
    actions = {action for _, _, action in EVERY_CHANGE}
    assert "read" not in actions
    assert actions < set(get_args(Action))
    assert actions | {"read", "purge-history"} == {route.action for route in ROUTES}


@pytest.mark.parametrize(("method", "pattern", "action"), EVERY_CHANGE)
@pytest.mark.parametrize("whole_board", [True, False])
async def test_a_read_only_board_or_queue_is_not_changed(
    queue: Queue[Any], method: str, pattern: str, action: Action, whole_board: bool
) -> None:
    await stocked(queue)
    app = board_app(queues=[BoardQueue(queue=queue, read_only=not whole_board)], read_only=whole_board)
    before = await keys(queue)
    answer = await BoardClient(app).change(method, path_of(pattern), BODIES.get(pattern))
    if pattern in {"queues/pause", "queues/resume"} and not whole_board:
        assert answer.status_code == 200  # as at Bull Board: of the others
    else:
        assert (answer.status_code, answer.json()["error"]["key"]) == (405, "ERRORS.QUEUE_READ_ONLY")
    assert await keys(queue) == before


@pytest.mark.parametrize(("method", "pattern", "action"), EVERY_CHANGE)
async def test_what_the_policy_does_not_allow_does_not_happen(
    queue: Queue[Any], method: str, pattern: str, action: Action
) -> None:
    await stocked(queue)
    asked: list[Access] = []

    async def policy(access: Access) -> bool:
        asked.append(access)
        return access.action != action

    before = await keys(queue)
    made = BoardClient(board_app(queues=[queue], policy=policy))
    answer = await made.change(method, path_of(pattern), BODIES.get(pattern))
    assert (answer.status_code, answer.json()["error"]["key"]) == (403, "ERRORS.FORBIDDEN")
    assert await keys(queue) == before
    (access,) = [access for access in asked if access.action == action]
    assert access.who == "local"
    assert access.queue == ("email" if ":queue" in pattern else None)
    assert access.job == ("1" if ":job" in pattern.split("/") else "nightly" if ":scheduler" in pattern else None)


@pytest.mark.parametrize("answer", [None, 0, "", 1, "yes", [True]])
async def test_only_true_allows(board: MakeBoard, queue: Queue[Any], answer: Any) -> None:
    made = board(policy=lambda access: True if access.action == "read" else answer)
    assert (await made.change("PUT", "api/queues/email/pause")).status_code == 403
    assert not await queue.is_paused()


async def test_a_policy_that_breaks_allows_nothing(board: MakeBoard, queue: Queue[Any]) -> None:
    def policy(access: Access) -> bool:
        if access.action == "pause":
            raise KeyError("roles")
        return True

    answer = await board(policy=policy).change("PUT", "api/queues/email/pause")
    assert (answer.status_code, answer.json()["message"]) == (500, "see the log of this service")
    assert not await queue.is_paused()


@pytest.mark.parametrize("how", ["policy", "hidden"])
async def test_a_queue_that_may_not_be_read_is_not_there(open_queue: OpenQueue, how: str) -> None:
    email, secret = open_queue("email"), open_queue("secret")
    for queue in (email, secret):
        await stocked(queue)
    options: dict[str, Any] = {"hidden": ["sec*"]}
    if how == "policy":
        options = {"policy": lambda access: access.queue != "secret"}
    made = BoardClient(board_app(queues=[email, secret], **options))
    for path in ("api/queues", "api/queues?activeQueue=secret", "api/job-schedulers", "-/"):
        answer = await made.get(path)
        assert answer.status_code == 200
        assert "email" in answer.text
        assert '"secret"' not in answer.text
        assert ">secret<" not in answer.text
    for path in ("1", "1/logs", "1/flow", "metrics", "workers", "rate-limit"):
        answer = await made.get(f"api/queues/secret/{path}")
        assert (answer.status_code, answer.json()["error"]["key"]) == (404, "ERRORS.QUEUE_NOT_FOUND")
    before = await keys(secret)
    assert (await made.change("PUT", "api/queues/secret/pause")).status_code == 404
    assert (await made.change("PUT", "api/queues/pause")).status_code == 200
    assert await keys(secret) == before
    assert await email.is_paused()


async def test_each_change_leaves_an_audit_event(
    open_queue: OpenQueue, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"audited-{key_prefix}"
    queue = open_queue(name)
    await stocked(queue)
    app = board_app(queues=[queue], policy=lambda access: access.action != "empty")
    made = BoardClient(app)
    with caplog.at_level(logging.INFO, "bullworks.board.audit"):
        for method, path in (
            ("PUT", f"api/queues/{name}/pause"),
            ("PUT", f"api/queues/{name}/empty"),
            ("PUT", f"api/queues/{name}/1/retry"),
            ("PUT", f"api/queues/{name}/clean/failed"),
            ("PUT", f"api/queues/{name}/job-schedulers/nightly/run"),
        ):
            await made.change(method, path)
        await made.change("POST", f"api/queues/{name}/add", {"name": "by hand", "options": {"jobId": "mine"}})
        await made.change("PUT", f"api/queues/{name}/concurrency", {"concurrency": 5})
        await made.get(f"api/queues/{name}/1")
    events = [event for event in await app.board.audit.latest(100) if event.queue == name]
    assert [(event.action, event.job, event.outcome) for event in events] == [
        ("set-concurrency", None, "done"),
        ("add-job", "mine", "done"),
        ("run-scheduler", "nightly", "done"),
        ("clean", None, "done"),
        ("retry-job", "1", "refused"),
        ("empty", None, "refused"),
        ("pause", None, "done"),
    ]
    assert {event.who for event in events} == {"local"}
    notes = [event.note for event in events]
    assert notes[:2] == ["5", "by hand"]
    assert notes[3:5] == ["failed", "ERRORS.JOB_NOT_RETRIABLE"]
    assert all(event.at_ms > 1_600_000_000_000 for event in events)
    assert f"local: pause, queue {name}, job -: done" in caplog.text


async def test_the_audit_trail_names_who_it_was(board: MakeBoard, queue: Queue[Any], key_prefix: str) -> None:
    app = board_app(queues=[queue], auth=basic_auth({f"anne-{key_prefix}": "pw"}))
    made = BoardClient(app)
    made.http.auth = (f"anne-{key_prefix}", "pw")
    await made.change("PUT", "api/queues/email/pause")
    (event,) = [event for event in await app.board.audit.latest(200) if event.who == f"anne-{key_prefix}"]
    assert (event.action, event.queue) == ("pause", "email")


async def test_the_audit_trail_is_bounded_and_read_in_pages(queue: Queue[Any]) -> None:
    app = board_app(queues=[queue])
    for number in range(5):
        await app.board.audit.record(AuditEvent(who=f"w{number}", action="pause", note="x" * 10_000))
    newest = await app.board.audit.latest(2)
    older = await app.board.audit.latest(2, before=newest[-1].id)
    assert [event.id for event in (*newest, *older)] == sorted((e.id for e in (*newest, *older)), reverse=True)
    assert len({event.id for event in (*newest, *older)}) == 4
    assert all(len(event.note) <= 500 for event in newest)


async def test_a_change_that_was_made_is_answered_also_where_its_audit_event_cannot_be_stored(
    redis_url: str, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Queue[Any]("email", connection=redis_url, prefix=key_prefix) as queue:
        app = board_app(queues=[queue])
        broken = Queue[Any]("email", connection=redis_url, prefix=key_prefix)
        await broken.close()
        app.board.audit = type(app.board.audit)(lambda: broken)
        answer = await BoardClient(app).change("PUT", "api/queues/email/pause")
        assert answer.status_code == 200
        assert await queue.is_paused()
    assert "an audit event was not stored" in caplog.text
