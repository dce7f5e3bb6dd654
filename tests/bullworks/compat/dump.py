"""All that lies in a Redis database: keys with their types, contents and whether they expire."""

from __future__ import annotations

import json
from typing import Any

import redis

# Each part of them is compared; elsewhere text is text, though it may look like JSON.
_JSON_FIELDS = {"data", "opts", "returnvalue", "progress", "parent"}
_MINUTE_MS = 60_000


def clear(url: str) -> None:
    """Empty the database."""
    with redis.Redis.from_url(url, socket_timeout=5, protocol=2) as client:
        client.flushdb()


def dump(url: str) -> dict[str, Any]:
    """Key -> [type, minutes until it expires at most, or None, content]; JSON parsed, lists and streams in order."""
    with redis.Redis.from_url(url, socket_timeout=5, decode_responses=True, protocol=2) as client:
        return {key: _key(client, key) for key in client.scan_iter(count=1000)}


def _key(client: redis.Redis, key: str) -> list[Any]:
    kind, ttl_ms = client.type(key), client.pttl(key)
    return [kind, None if ttl_ms < 0 else -(-ttl_ms // _MINUTE_MS), _content(client, key, kind)]


def _content(client: redis.Redis, key: str, kind: str) -> Any:
    if kind == "hash":
        return _fields(client.hgetall(key))
    if kind == "list":
        return client.lrange(key, 0, -1)
    if kind == "set":
        return list(client.smembers(key))
    if kind == "zset":
        return [[member, score] for member, score in client.zrange(key, 0, -1, withscores=True)]
    if kind == "stream":
        return [_fields(entry) for _, entry in client.xrange(key)]
    return client.get(key)


def _fields(raw: dict[str, str]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in raw.items()}


def _value(name: str, value: str) -> Any:
    if name == "stacktrace":
        return f"{len(json.loads(value))} traces"  # a trace of Python is none of Node
    try:
        return json.loads(value) if name in _JSON_FIELDS else value
    except ValueError:
        return value
