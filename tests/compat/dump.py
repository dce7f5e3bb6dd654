"""All that lies in Redis under a prefix, with what may differ between two runs evened out."""

from __future__ import annotations

import json
from typing import Any

import redis

# 2020 .. 2100 in ms: whatever is in between is a time.
_TIMES = range(1_577_836_800_000, 4_102_444_800_000)
_JSON_FIELDS = {"data", "opts", "returnvalue", "progress"}


def dump(url: str, prefix: str) -> dict[str, Any]:
    """Key (less the prefix) -> content: times as "<time>", JSON parsed, lists and streams in order."""
    with redis.Redis.from_url(url, socket_timeout=5, decode_responses=True, protocol=2) as client:
        keys = sorted(client.scan_iter(match=f"{prefix}:*", count=1000))
        return {key.removeprefix(f"{prefix}:"): _content(client, key) for key in keys}


def _content(client: redis.Redis, key: str) -> Any:
    kind = client.type(key)
    if kind == "hash":
        return _fields(client.hgetall(key))
    if kind == "list":
        return client.lrange(key, 0, -1)
    if kind == "set":
        return sorted(client.smembers(key))
    if kind == "zset":
        return [[member, _score(score)] for member, score in client.zrange(key, 0, -1, withscores=True)]
    if kind == "stream":
        return [_fields(entry) for _, entry in client.xrange(key)]
    return client.get(key)


def _fields(raw: dict[str, str]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in raw.items() if name != "version"}


def _value(name: str, value: str) -> Any:
    if name == "stacktrace":
        return f"{len(json.loads(value))} traces"
    if value.lstrip("-").isdecimal():
        return _time(int(value))
    if name == "opts":
        return {option: _time(given) for option, given in json.loads(value).items()}
    return json.loads(value) if name in _JSON_FIELDS else value


def _time(value: Any) -> Any:
    return "<time>" if isinstance(value, int) and value in _TIMES else value


def _score(score: float) -> Any:
    # A delayed job's score is its time, shifted by 12 bits.
    return "<time>" if int(score) in _TIMES or int(score) // 4096 in _TIMES else score
