"""Encrypted fields: ciphertext in Redis, plain to those who have the key, and shown to nobody else."""

from __future__ import annotations

import json
import logging
import pickle
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from bullworks.bullmq import (
    Encrypted,
    InvalidOptionError,
    InvalidPayloadError,
    Job,
    Keyring,
    PayloadAheadError,
    Queue,
    Worker,
)
from bullworks.bullmq.wire.keyring import SEALED
from bullworks.bullmq.wire.payload_type import PayloadType
from tests.bullworks.waiting import eventually

NOWHERE = "redis://127.0.0.1:1/0"
OLD, NEW = "a" * 32, "b" * 32
CARD = "4111111111111111"


class Address(BaseModel):
    street: Annotated[str, Encrypted()]


class Order(BaseModel):
    number: int
    card: Annotated[str | None, Encrypted()] = None
    addresses: list[Address] = []


@dataclass
class Receipt:
    number: int
    card: Annotated[str, Encrypted()]


def ring(**keys: str) -> Keyring:
    return Keyring({key_id: key.encode() for key_id, key in keys.items()})


def orders(keyring: Keyring | None) -> PayloadType[Order]:
    return PayloadType("data_type", Order, keyring)


def test_only_the_marked_fields_are_sealed_however_deep() -> None:
    kind = orders(ring(old=OLD))
    order = Order(number=7, card=CARD, addresses=[Address(street="Rue Bleue")])
    encoded = kind.encode(order)
    stored = json.loads(encoded)
    assert stored["number"] == 7
    assert set(stored["card"]) == set(stored["addresses"][0]["street"]) == {SEALED, "kid", "iv", "ct"}
    assert (stored["card"][SEALED], stored["card"]["kid"]) == ("A256GCM", "old")
    assert CARD.encode() not in encoded
    assert kind.decode(encoded) == order
    assert json.loads(kind.encode(Order(number=7)))["card"] is None


def test_the_same_value_is_never_the_same_ciphertext() -> None:
    kind = orders(ring(old=OLD))
    assert kind.encode(Order(number=7, card=CARD)) != kind.encode(Order(number=7, card=CARD))


def test_what_node_added_in_the_clear_is_read_as_it_is() -> None:
    assert orders(ring(old=OLD)).decode(b'{"number":1,"card":"x"}') == Order(number=1, card="x")


def test_while_keys_rotate_the_first_seals_and_all_open() -> None:
    order = Order(number=7, card=CARD)
    before, between, after = ring(old=OLD), ring(old=OLD, new=NEW), ring(new=NEW, old=OLD)
    assert between.key_ids == ("old", "new")
    for writer in (before, between, after):
        for reader in (between, after):
            assert orders(reader).decode(orders(writer).encode(order)) == order
    assert json.loads(orders(after).encode(order))["card"]["kid"] == "new"


def test_a_key_that_is_not_in_the_ring_is_named_and_the_job_can_wait_for_it() -> None:
    encoded = orders(ring(new=NEW)).encode(Order(number=7, card=CARD))
    with pytest.raises(PayloadAheadError, match="is sealed with the key 'new'; the keyring has old"):
        orders(ring(old=OLD)).decode(encoded)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"ct": "AAAA"}, "damaged, or was not sealed with the key 'old'"),
        ({"ct": "?"}, "damaged"),
        ({"iv": None}, "damaged"),
        ({SEALED: "A128GCM"}, "is not sealed with A256GCM"),
        ({"kid": 3}, "is not sealed with A256GCM"),
    ],
)
def test_what_is_damaged_fails_with_its_path_and_shows_nothing(change: dict[str, Any], text: str) -> None:
    kind = orders(ring(old=OLD))
    stored = json.loads(kind.encode(Order(number=7, card=CARD)))
    stored["card"] |= change
    with pytest.raises(InvalidPayloadError, match=text) as caught:
        kind.decode(json.dumps(stored).encode())
    assert caught.value.path.startswith("$.card")
    assert CARD not in str(caught.value)


def test_another_key_under_the_same_id_opens_nothing() -> None:
    encoded = orders(ring(old=OLD)).encode(Order(number=7, card=CARD))
    with pytest.raises(InvalidPayloadError, match="not sealed with the key 'old'"):
        orders(ring(old=NEW)).decode(encoded)


def test_keys_are_in_no_text_and_leave_the_process_in_no_pickle() -> None:
    key = Keyring.new_key()
    keyring = Keyring({"2026-11": key})
    assert repr(keyring) == "<Keyring 2026-11>"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(keyring)
    with pytest.raises(InvalidOptionError) as caught:
        Keyring({"2026-11": key[:-8]})
    assert key[:-8] not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({}, "at least one key"),
        ({"a b": OLD.encode()}, "the key id 'a b' is not"),
        ({"old": b"short"}, r"the key old is not 32 bytes; make one by Keyring.new_key\(\)"),
        ({"old": "?"}, "the key old is not base64"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidOptionError, match=text):
        Keyring(keys)


def test_encrypted_fields_without_keys_are_refused_before_anything_is_stored() -> None:
    with pytest.raises(InvalidOptionError, match="encryption: is needed: Order has encrypted fields"):
        Queue("orders", connection=NOWHERE, data_type=Order)
    with pytest.raises(InvalidOptionError, match="encryption: is needed: Receipt has encrypted fields"):
        Worker("orders", None, connection=NOWHERE, result_type=Receipt)


def test_a_stub_of_a_job_needs_no_keys() -> None:
    assert Job.stub(Order(number=7, card=CARD)).data.card == CARD


async def test_data_and_result_are_ciphertext_in_redis_and_plain_in_the_handler(
    redis_url: str, key_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keyring = ring(old=OLD)

    async def process(job: Job[Order, Receipt]) -> Receipt:
        assert job.data.card == CARD
        await job.update_data(job.data.model_copy(update={"number": 8}))
        return Receipt(job.data.number, CARD)

    async with Queue(
        "orders",
        connection=redis_url,
        prefix=key_prefix,
        data_type=Order,
        result_type=Receipt,
        encryption=keyring,
    ) as queue:
        job = await queue.add("charge", Order(number=7, card=CARD))
        worker = Worker(
            "orders",
            process,
            connection=redis_url,
            prefix=key_prefix,
            data_type=Order,
            result_type=Receipt,
            encryption=keyring,
        )
        async with worker:
            assert await job.wait_until_finished(ttl=5_000) == Receipt(8, CARD)
        stored = await queue.connection.execute("HGETALL", queue.keys.of(job.id))
        events = await queue.connection.execute("XRANGE", queue.keys.of("events"), "-", "+")
        assert CARD not in str(stored)
        assert CARD not in str(events)
        assert SEALED in str(stored)
        await job.refresh()
        assert job.data == Order(number=8, card=CARD)
    assert CARD not in caplog.text


async def test_keys_rotate_under_a_running_fleet_and_no_job_fails(redis_url: str, key_prefix: str) -> None:
    """The deploy in the wrong order too: a worker without the new key leaves the job to one that has it."""
    seen: list[tuple[int, str | None]] = []

    async def process(job: Job[Order, None]) -> None:
        seen.append((job.data.number, job.data.card))

    def queue_with(keyring: Keyring) -> Queue[Order]:
        return Queue("orders", connection=redis_url, prefix=key_prefix, data_type=Order, encryption=keyring)

    def worker_with(keyring: Keyring) -> Worker[Order, None]:
        return Worker("orders", process, connection=redis_url, prefix=key_prefix, data_type=Order, encryption=keyring)

    rings = [ring(old=OLD), ring(old=OLD, new=NEW), ring(new=NEW, old=OLD), ring(new=NEW)]
    async with worker_with(rings[0]):
        for number, keyring in enumerate(rings):
            async with queue_with(keyring) as queue:
                for _ in range(10):
                    await queue.add("charge", Order(number=number, card=CARD))
        async with queue_with(rings[3]) as queue:
            await eventually(lambda: len(seen) == 20)
            await eventually(lambda: _is_delayed(queue, 20))
            async with worker_with(rings[2]):
                for job in await queue.get_jobs("delayed"):
                    assert job.attempts_made == 0
                    await job.promote()
                await eventually(lambda: len(seen) >= 30)
            counts = await queue.get_job_counts("failed")
    assert counts["failed"] == 0
    assert {card for _, card in seen} == {CARD}


async def _is_delayed(queue: Queue[Any], count: int) -> bool:
    return (await queue.get_job_counts("delayed"))["delayed"] == count
