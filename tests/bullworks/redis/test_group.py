"""Who is asked for the right server, in which order, and what is made of the answers. No server is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import pytest

from bullworks.redis import ConnectError, Endpoint
from bullworks.redis.group.cluster import Cluster
from bullworks.redis.group.inquiry import Inquiry
from bullworks.redis.group.sentinels import Sentinels
from bullworks.redis.group.url import parse_group_url
from tests.bullworks.servers import free_port

T = TypeVar("T")
BUDGET_MS = 3_000


class Asked(list[str]):
    """Who was asked, and lets the inquiry have what each says; one that is not in `answers` cannot be reached."""

    def answer(self, inquiry: Inquiry[T], answers: Mapping[str, Any]) -> T:
        try:
            question = next(inquiry)
            while True:
                place = question.address.place
                self.append(place)
                if place in answers:
                    question = inquiry.send(answers[place])
                else:
                    question = inquiry.throw(ConnectError(place, "refused", "nothing listens there", ""))
        except StopIteration as end:
            found: T = end.value
            return found


@pytest.fixture
def cluster() -> Cluster:
    """Of two nodes to begin with."""
    group = parse_group_url("redis+cluster://:secret@a:1,b:2")
    assert isinstance(group, Cluster)
    return group


@pytest.fixture
def sentinels() -> Sentinels:
    """Three for one service."""
    group = parse_group_url("redis+sentinel://:secret@a:1,b:2,c:3/jobs")
    assert isinstance(group, Sentinels)
    return group


def _slots(*ranges: tuple[int, int, bytes | None, int]) -> list[Any]:
    return [[first, last, [host, port, b"id"], [b"replica", 9, b"id"]] for first, last, host, port in ranges]


def test_the_owner_of_a_slot_is_found_and_logged_in_to_alike(cluster: Cluster) -> None:
    slots = _slots((0, 99, b"a", 1), (100, 16_383, b"c", 3))
    owner = Asked().answer(cluster.find(100, BUDGET_MS), {"a:1": slots})
    assert (owner.place, owner.password) == ("c:3", "secret")
    assert cluster.recent(5, 60) == cluster.login
    assert cluster.recent(5, -1) is None


@pytest.mark.parametrize("host", [b"", b"?", None])
def test_a_node_without_an_address_is_the_one_that_was_asked(cluster: Cluster, host: bytes | None) -> None:
    answers = {"b:2": _slots((0, 16_383, host, 7))}
    assert Asked().answer(cluster.find(0, BUDGET_MS), answers).place == "b:7"


def test_who_answered_is_asked_first_and_who_was_named_later(cluster: Cluster) -> None:
    asked = Asked()
    asked.answer(cluster.find(0, BUDGET_MS), {"b:2": _slots((0, 16_383, b"c", 3))})
    asked.answer(cluster.find(0, BUDGET_MS), {"c:3": _slots((0, 16_383, b"c", 3))})
    asked.answer(cluster.find(0, BUDGET_MS), {"c:3": _slots((0, 16_383, b"c", 3))})
    assert asked == ["a:1", "b:2", "b:2", "a:1", "c:3", "c:3"]


def test_a_slot_that_nobody_has_is_told(cluster: Cluster) -> None:
    with pytest.raises(ConnectError, match="no node has slot 5 now") as caught:
        Asked().answer(cluster.find(5, BUDGET_MS), {"a:1": _slots((0, 4, b"a", 1))})
    assert caught.value.kind == "failover"
    with pytest.raises(ConnectError, match="it has no slots"):
        Asked().answer(cluster.find(None, BUDGET_MS), {"a:1": []})


def test_each_primary_is_named_once(cluster: Cluster) -> None:
    slots = _slots((0, 9, b"a", 1), (10, 19, b"b", 2), (20, 29, b"a", 1))
    assert [address.place for address in Asked().answer(cluster.primaries(BUDGET_MS), {"a:1": slots})] == ["a:1", "b:2"]


def test_nobody_there_is_told_with_each_reason(cluster: Cluster) -> None:
    with pytest.raises(ConnectError, match="a:1: nothing listens there; b:2: nothing listens there") as caught:
        Asked().answer(cluster.find(0, BUDGET_MS), {})
    assert caught.value.kind == "refused"


def test_sentinels_are_asked_in_turn_until_one_knows(sentinels: Sentinels) -> None:
    asked = Asked()
    answers: dict[str, Any] = {"b:2": None, "c:3": [b"master", b"7"]}
    assert asked.answer(sentinels.find(None, BUDGET_MS), answers).place == "master:7"
    assert asked.answer(sentinels.find(None, BUDGET_MS), answers).password == "secret"
    assert asked == ["a:1", "b:2", "c:3", "c:3"]
    assert [address.place for address in asked.answer(sentinels.primaries(BUDGET_MS), answers)] == ["master:7"]
    recent = sentinels.recent(None, 60)
    assert recent is not None
    assert recent.place == "master:7"
    assert sentinels.recent(None, -1) is None


def test_a_service_that_one_does_not_know_and_others_cannot_say(sentinels: Sentinels) -> None:
    with pytest.raises(ConnectError, match="b:2: it knows no service 'jobs'") as caught:
        Asked().answer(sentinels.find(None, BUDGET_MS), {"b:2": None})
    assert caught.value.kind == "other"
    assert "follows the hosts" in caught.value.hint


@pytest.mark.parametrize("url", ["redis+cluster://a:1,b:2", "redis+sentinel://a:1,b:2/jobs"])
def test_endpoints_of_equal_urls_are_one_key(url: str) -> None:
    """The lock renewal thread keeps one client an endpoint and slot."""
    assert len({Endpoint.of(url), Endpoint.of(url), Endpoint.of(f"{url}?password=x")}) == 2
    assert Endpoint.of(url).group != "another thing"


@pytest.mark.parametrize("form", ["redis+cluster://127.0.0.1:{port}", "redis+sentinel://127.0.0.1:{port}/jobs"])
def test_a_blocking_client_of_a_group_that_is_not_there_says_so(form: str) -> None:
    endpoint = Endpoint.of(form.format(port=free_port()))
    with pytest.raises(ConnectError, match="nothing listens there") as caught:
        endpoint.sync_client(key="a")
    assert endpoint.connect_error(caught.value) is caught.value
