"""Jobs with pydantic models and dataclasses: checked where they are added and before they run, plain JSON between."""

import json
import pickle
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, Field

from bullworks.bullmq import (
    FlowJob,
    FlowProducer,
    InvalidOptionError,
    InvalidPayloadError,
    Job,
    JobFailedError,
    JobSpec,
    Queue,
    SyncQueue,
    Worker,
)
from bullworks.bullmq.wire.payload_type import PayloadType, PayloadTypes

NOWHERE = "redis://127.0.0.1:1/0"


class Address(BaseModel):
    city: str


class EmailJob(BaseModel):
    email: str
    address: Address = Field(default_factory=lambda: Address(city="Paris"))
    at: datetime | None = None
    tags: list[str] = []


@dataclass
class Receipt:
    message_id: str
    size: int


def test_a_model_is_plain_json_with_its_defaults_and_comes_back() -> None:
    kind: PayloadType[EmailJob] = PayloadType("data_type", EmailJob)
    job = EmailJob(email="a@b", at=datetime(2026, 1, 2, tzinfo=UTC))
    assert json.loads(kind.encode(job)) == {
        "email": "a@b",
        "address": {"city": "Paris"},
        "at": "2026-01-02T00:00:00Z",
        "tags": [],
    }
    assert kind.decode(kind.encode(job)) == job
    assert kind.plain({"email": "a@b"}) == kind.plain(EmailJob(email="a@b"))


def test_what_node_added_is_read_and_what_is_too_much_is_left_out() -> None:
    kind: PayloadType[EmailJob] = PayloadType("data_type", EmailJob)
    assert kind.decode(b'{"email":"a@b","other":1}') == EmailJob(email="a@b")


@pytest.mark.parametrize(
    ("encoded", "path", "text"),
    [
        (b"{}", "$.email", "$.email does not fit EmailJob: Field required"),
        (b'{"email":1}', "$.email", "$.email does not fit EmailJob: Input should be a valid string"),
        (b'{"email":"a","address":{}}', "$.address.city", "$.address.city does not fit EmailJob: Field required"),
        (
            b'{"email":1,"tags":["a",2]}',
            "$.email",
            "$.email does not fit EmailJob: Input should be a valid string; $.tags[1]: Input should be a valid string",
        ),
        (b"[]", "$", "$ does not fit EmailJob: Input should be an object"),
    ],
)
def test_what_does_not_fit_is_told_by_path_and_never_shown(encoded: bytes, path: str, text: str) -> None:
    kind: PayloadType[EmailJob] = PayloadType("data_type", EmailJob)
    with pytest.raises(InvalidPayloadError) as caught:
        kind.decode(encoded)
    assert (caught.value.path, str(caught.value)) == (path, text)


def test_an_instance_that_was_made_wrong_is_refused() -> None:
    """A dataclass checks nothing by itself, and a model may be changed."""
    receipt: PayloadType[Receipt] = PayloadType("result_type", Receipt)
    with pytest.raises(InvalidPayloadError, match=r"\$\.size does not fit Receipt"):
        receipt.plain(Receipt("a", "large"))  # type: ignore[arg-type]
    job = EmailJob(email="a@b")
    job.email = 3  # type: ignore[assignment]
    with pytest.raises(InvalidPayloadError, match=r"\$\.email does not fit EmailJob"):
        PayloadType[EmailJob]("data_type", EmailJob).plain(job)
    with pytest.raises(InvalidPayloadError, match="cannot be written as EmailJob"):
        PayloadType[EmailJob]("data_type", EmailJob).plain({"email": object()})


def test_whatever_pydantic_checks_may_be_a_type_and_nothing_else() -> None:
    kind: PayloadType[Any] = PayloadType("data_type", list[int])
    assert kind.plain((1, 2)) == [1, 2]
    with pytest.raises(InvalidOptionError, match="data_type: Queue cannot be checked"):
        Queue("email", connection=NOWHERE, data_type=Queue)
    with pytest.raises(InvalidOptionError, match="result_type: Queue cannot be checked"):
        Worker("email", None, connection=NOWHERE, result_type=Queue)


def test_without_a_type_nothing_is_asked_of_anybody() -> None:
    assert PayloadTypes.of(None) is None
    assert PayloadTypes.of_value({"a": 1}) is PayloadTypes.of_value(None) is None
    assert Queue("email", connection=NOWHERE).scripts.payload_types is None


def test_a_stub_of_a_typed_job_holds_what_it_was_given_and_has_checked_it() -> None:
    job = Job.stub(EmailJob(email="a@b"))
    assert job.data == EmailJob(email="a@b")
    with pytest.raises(InvalidPayloadError, match=r"\$\.size does not fit Receipt"):
        Job.stub(Receipt("a", "large"))  # type: ignore[arg-type]


async def test_a_typed_job_goes_its_whole_way(redis_url: str, key_prefix: str) -> None:
    seen: list[Any] = []

    async def process(job: Job[EmailJob, Receipt]) -> Receipt:
        seen.append(job.data)
        await job.update_data(EmailJob(email="sent@b"))
        return Receipt("m1", 10)

    async with Queue(
        "email", connection=redis_url, prefix=key_prefix, data_type=EmailJob, result_type=Receipt
    ) as queue:
        job = await queue.add("welcome", EmailJob(email="a@b"))
        assert job.data == EmailJob(email="a@b")
        (bulk,) = await queue.add_bulk([JobSpec("welcome", EmailJob(email="c@d"), delay=60_000)])
        stored = await queue.connection.execute("HGET", queue.keys.of(bulk.id), "data")
        assert json.loads(stored) == {"email": "c@d", "address": {"city": "Paris"}, "at": None, "tags": []}
        async with Worker(
            "email", process, connection=redis_url, prefix=key_prefix, data_type=EmailJob, result_type=Receipt
        ):
            assert await job.wait_until_finished(ttl=10_000) == Receipt("m1", 10)
        assert seen == [EmailJob(email="a@b")]
        done = await queue.get_job(job.id)
        assert done is not None
        assert (done.data, done.returnvalue) == (EmailJob(email="sent@b"), Receipt("m1", 10))
        assert bulk.returnvalue is None
        assert await queue.connection.execute("HGET", queue.keys.of(job.id), "returnvalue") == (
            b'{"message_id":"m1","size":10}'
        )
        with pytest.raises(InvalidPayloadError, match=r"\$\.email does not fit EmailJob: Field required"):
            await queue.add("welcome", {})  # type: ignore[arg-type]
        with pytest.raises(InvalidPayloadError, match=r"\$\.email"):
            await queue.add_bulk([JobSpec("welcome", EmailJob(email="x")), JobSpec("welcome", {})])
        with pytest.raises(InvalidPayloadError, match=r"\$\.email"):
            await done.update_data({"email": 1})  # type: ignore[arg-type]
        assert sum((await queue.get_job_counts()).values()) == 2


async def test_whatever_adds_a_job_checks_it_and_says_of_which_it_speaks(redis_url: str, key_prefix: str) -> None:
    says = r"^job 'welcome' for queue 'email': \$\.email does not fit EmailJob: Field required$"
    where: Any = {"connection": redis_url, "prefix": key_prefix}
    async with (
        Queue[EmailJob]("email", data_type=EmailJob, **where) as queue,
        FlowProducer(queues=[queue], **where) as flows,
    ):
        with pytest.raises(InvalidPayloadError, match=says) as caught:
            await queue.add("welcome", {})  # type: ignore[arg-type]
        assert (caught.value.queue_name, caught.value.job_name, caught.value.path) == ("email", "welcome", "$.email")
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
        with pytest.raises(InvalidPayloadError, match=says):
            await queue.add_bulk([JobSpec("welcome", {})])
        with pytest.raises(InvalidPayloadError, match=says):
            await queue.add("welcome", {}, repeat={"every": 60_000})  # type: ignore[arg-type]
        for template in ({"name": "welcome"}, {"name": "welcome", "data": {"emial": "a"}}):
            with pytest.raises(InvalidPayloadError, match=says):
                await queue.upsert_job_scheduler("nightly", {"every": 60_000}, template)  # type: ignore[arg-type]
        parent: FlowJob = {"name": "report", "queue_name": "reports", "children": []}
        for data in ({}, Receipt("m", 1)):
            child: FlowJob = {"name": "welcome", "queue_name": "email", "data": data}
            with pytest.raises(InvalidPayloadError, match=r"^job 'welcome' for queue 'email': \$\.email"):
                await flows.add({**parent, "children": [child]})
        with pytest.raises(
            InvalidPayloadError, match=r"^job 'report' for queue 'reports': \$\.at is a datetime, which"
        ):
            await flows.add({**parent, "data": {"at": datetime.now(UTC)}})
        assert sum((await queue.get_job_counts()).values()) == 0
        scheduled = await queue.upsert_job_scheduler("nightly", {"every": 60_000}, {"data": EmailJob(email="a@b")})
        assert scheduled.data == EmailJob(email="a@b")


def test_a_sync_queue_is_typed_as_a_queue_is(redis_url: str, key_prefix: str) -> None:
    with SyncQueue("email", connection=redis_url, prefix=key_prefix, data_type=EmailJob, result_type=Receipt) as queue:
        job = queue.add("welcome", EmailJob(email="a@b"))
        found = queue.get_job(job.id)
        assert found is not None
        assert job.data == found.data == EmailJob(email="a@b")
        with pytest.raises(InvalidPayloadError, match=r"^job 'welcome' for queue 'email': \$\.email"):
            queue.add("welcome")
    with SyncQueue("plain", connection=redis_url, prefix=key_prefix) as plain:
        assert plain.add("welcome").data == {}
    with pytest.raises(InvalidOptionError, match="data_type: Queue cannot be checked"):
        SyncQueue("email", connection=NOWHERE, data_type=Queue)


async def test_a_payload_that_does_not_fit_fails_at_once_and_never_reaches_the_handler(
    redis_url: str, key_prefix: str
) -> None:
    async def process(job: Job[EmailJob]) -> None:
        raise AssertionError("the handler saw it")

    async with Queue("email", connection=redis_url, prefix=key_prefix) as plain:
        job = await plain.add("welcome", {"email": "a@b", "address": {"city": 7}}, attempts=5)
        async with Worker("email", process, connection=redis_url, prefix=key_prefix, data_type=EmailJob):
            with pytest.raises(JobFailedError, match=r"the job's data: \$\.address\.city does not fit EmailJob"):
                await job.wait_until_finished(ttl=10_000)
        await job.refresh()
        assert job.attempts_made == 1


async def test_a_result_that_does_not_fit_fails_the_job(redis_url: str, key_prefix: str) -> None:
    async def process(job: Job[Any, Receipt]) -> Any:
        return {"message_id": "m1"}

    async with Queue("email", connection=redis_url, prefix=key_prefix) as queue:
        job = await queue.add("welcome", attempts=5)
        async with Worker("email", process, connection=redis_url, prefix=key_prefix, result_type=Receipt):
            with pytest.raises(JobFailedError, match=r"cannot be stored: \$\.size does not fit Receipt"):
                await job.wait_until_finished(ttl=10_000)


async def test_a_model_in_a_queue_without_a_type_is_refused_with_advice() -> None:
    async with Queue("email", connection=NOWHERE) as queue:
        for value in (EmailJob(email="a"), Receipt("m", 1)):
            with pytest.raises(InvalidPayloadError, match=f"or give the queue data_type={type(value).__name__}"):
                await queue.add("x", value)
