"""All that lies in a Redis database: keys with their types, contents and whether they expire."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import redis

# Each part of them is compared; elsewhere text is text, though it may look like JSON.
_JSON_FIELDS = {"data", "opts", "returnvalue", "progress", "parent"}
_MINUTE_MS = 60_000


def clear(url: str) -> None:
    """Empty the database."""
    _client(url).flushdb()


def dump(url: str) -> dict[str, Any]:
    """Key -> [type, minutes until it expires at most, or None, content]; JSON parsed, lists and streams in order."""
    client = _client(url)
    keys = list(client.scan_iter(count=1000))
    with client.pipeline(transaction=False) as asking:
        for key in keys:
            asking.type(key).pttl(key)
        told = asking.execute()
        kinds, ttls_ms = told[::2], told[1::2]
        for key, kind in zip(keys, kinds, strict=True):
            _READ[kind](asking, key)
        contents = asking.execute()
    return {
        key: [kind, None if ttl_ms < 0 else -(-ttl_ms // _MINUTE_MS), _content(kind, content)]
        for key, kind, ttl_ms, content in zip(keys, kinds, ttls_ms, contents, strict=True)
    }


# One for all dumps of a database: to connect takes longer than to read a scenario's keys.
@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5, decode_responses=True, protocol=2)


_READ: dict[str, Callable[[Any, str], object]] = {
    "hash": lambda asking, key: asking.hgetall(key),
    "list": lambda asking, key: asking.lrange(key, 0, -1),
    "set": lambda asking, key: asking.smembers(key),
    "zset": lambda asking, key: asking.zrange(key, 0, -1, withscores=True),
    "stream": lambda asking, key: asking.xrange(key),
    "string": lambda asking, key: asking.get(key),
    "none": lambda asking, key: asking.get(key),  # it has run out meanwhile
}


def _content(kind: str, content: Any) -> Any:
    if kind == "hash":
        return _fields(content)
    if kind == "set":
        return list(content)
    if kind == "zset":
        return [[member, score] for member, score in content]
    if kind == "stream":
        return [_fields(entry) for _, entry in content]
    return content


def _fields(raw: dict[str, str]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in raw.items()}


def _value(name: str, value: str) -> Any:
    if name == "stacktrace":
        return f"{len(json.loads(value))} traces"  # a trace of Python is none of Node
    try:
        return json.loads(value) if name in _JSON_FIELDS else value
    except ValueError:
        return value
