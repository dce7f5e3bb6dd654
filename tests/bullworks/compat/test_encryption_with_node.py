"""Encrypted fields that a worker of npm bullmq opens, with the lines of docs/beyond-bullmq.md."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import BaseModel

from bullworks.bullmq import Encrypted, Keyring, Queue
from tests.bullworks.compat.node import QUEUE, Node


class Order(BaseModel):
    number: int
    card: Annotated[str, Encrypted()]


async def test_node_opens_them_with_the_key_that_they_name(node: Node, redis_url: str, key_prefix: str) -> None:
    keys = {"new": Keyring.new_key(), "old": Keyring.new_key()}
    asked = {"url": redis_url, "prefix": key_prefix, "queue": QUEUE, "keys": keys}
    for first, text in (("old", "4111"), ("new", "Zoë 💳")):
        keyring = Keyring({first: keys[first], **keys})
        async with (
            Queue(QUEUE, connection=redis_url, prefix=key_prefix, data_type=Order, encryption=keyring) as queue,
            node.serve("open_sealed.mjs", asked) as out,
        ):
            await queue.add("charge", Order(number=7, card=text))
            assert json.loads(await out.readline()) == {"number": 7, "card": text}
