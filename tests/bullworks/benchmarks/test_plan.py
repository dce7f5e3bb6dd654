"""The order in which peers are measured, and what is left to do."""

from __future__ import annotations

from benchmarks.measure import jobs_of
from benchmarks.peers import PEERS
from benchmarks.plan import plan, time_left_s
from benchmarks.workloads import WORKLOADS

OURS, NPM, SAQ, RQ = PEERS["bullworks"], PEERS["bullmq"], PEERS["saq"], PEERS["rq"]


def test_each_turn_begins_with_another_peer_and_slow_peers_run_once_a_round() -> None:
    names = [slot.peer.name for slot in plan([OURS, NPM, SAQ], [WORKLOADS["drain-100"]], 1)]
    assert names == ["bullworks", "bullmq", "saq", "bullmq", "bullworks", "bullworks", "bullmq"]


def test_a_peer_that_no_goal_compares_runs_in_the_first_round_only() -> None:
    slots = plan([OURS, NPM, SAQ], [WORKLOADS["drain-1"]], 3)
    assert [slot.round for slot in slots if slot.peer is SAQ] == [1]
    assert [slot.round for slot in slots if slot.peer is NPM] == [1, 2, 3]


def test_every_second_round_goes_through_the_sizes_backwards() -> None:
    sizes = [WORKLOADS["backlog-5k"], WORKLOADS["backlog-1m"]]
    names = [slot.workload.name for slot in plan([OURS], sizes, 2)]
    assert names == ["backlog-5k", "backlog-1m", "backlog-1m", "backlog-5k"]


def test_what_was_not_yet_measured_is_expected_to_take_the_mean() -> None:
    slots = plan([OURS, NPM, SAQ], [WORKLOADS["drain-1"]], 1)
    assert time_left_s(slots, {("drain-1", "bullworks"): 2.0, ("drain-1", "bullmq"): 4.0}) == 2 + 4 + 3
    assert time_left_s(slots, {}) == 0
    assert time_left_s([], {("drain-1", "bullworks"): 2.0}) == 0


def test_a_slow_peer_is_given_a_share_and_nobody_more_than_asked_for_or_fewer_than_20() -> None:
    assert jobs_of(OURS, WORKLOADS["drain-100"], 20_000) == 20_000
    assert jobs_of(RQ, WORKLOADS["drain-1"], 20_000) == 600
    assert jobs_of(PEERS["dramatiq"], WORKLOADS["drain-1"], 20_000) == 600
    assert jobs_of(RQ, WORKLOADS["bulk"], 20_000) == 20_000
    assert jobs_of(SAQ, WORKLOADS["add"], 20_000) == 5_000
    assert jobs_of(SAQ, WORKLOADS["add"], 100) == 100
    assert jobs_of(RQ, WORKLOADS["drain-1"], 100) == 20
