"""What a run's results become: medians, spreads, ratios, goals and tables, from figures written here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.goals import GOALS, Goal
from benchmarks.measure import percentile
from benchmarks.report import report, spread, table, verdict
from benchmarks.results import Results
from benchmarks.workloads import BYTES, GROWTH, P50_MS, P99_MS, RATE, REDIS_US, WORKLOADS


def results_of(figures: dict[str, dict[str, list[dict[str, float]]]]) -> Results:
    peers = dict.fromkeys(peer for measured in figures.values() for peer in measured)
    return Results("2026-01-02", "2 cores", "redis-server 7", 3, 100, list(peers), list(figures), figures=figures)


def rates(**by_peer: list[float]) -> dict[str, list[dict[str, float]]]:
    return {peer.replace("_", "-"): [{RATE: value} for value in values] for peer, values in by_peer.items()}


def goal(title: str, unit: str = "") -> Goal:
    return next(each for each in GOALS if each.title == title and unit in each.unit)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3.0], 0.99, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 0.51, 3.0),
        ([float(value) for value in range(1, 201)], 0.99, 198.0),
        ([1.0, 2.0], 0.0, 1.0),
        ([1.0, 2.0], 1.0, 2.0),
    ],
)
def test_a_percentile_is_the_smallest_value_that_this_share_does_not_exceed(
    values: list[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_the_median_of_all_measurements_counts_and_the_spread_is_shown_rounded() -> None:
    results = results_of({"drain-100": rates(bullworks=[1_500.4, 900.0, 2_000.6, 1_600.0])})
    assert results.median("drain-100", "bullworks", RATE) == pytest.approx(1_550.2)
    assert spread(results, "drain-100", "bullworks", RATE) == "1,550 (900-2,001)"


def test_one_measurement_has_no_spread_and_none_is_a_dash() -> None:
    results = results_of({"drain-100": rates(bullworks=[12.345])})
    assert spread(results, "drain-100", "bullworks", RATE, 1) == "12.3"
    assert spread(results, "drain-100", "bullmq", RATE) == "-"


def test_a_ratio_is_of_medians_and_missing_when_one_side_is() -> None:
    results = results_of({"bulk": rates(bullworks=[10, 30, 20], bullmq=[10])})
    assert results.ratio("bulk", "bullworks", "bullmq", RATE) == 2.0
    assert results.ratio("bulk", "bullworks", "saq", RATE) is None
    assert results.ratio("add", "bullworks", "bullmq", RATE) is None


@pytest.mark.parametrize(("dearest", "word"), [(114.9, "reached"), (115.1, "**missed**"), (60.0, "reached")])
def test_what_grows_by_at_most_15_percent_is_flat(dearest: float, word: str) -> None:
    small, middle, large = GROWTH["first 5,000 off a backlog"]
    results = results_of(
        {
            small: {"bullworks": [{REDIS_US: 90.0}, {REDIS_US: 100.0}, {REDIS_US: 900.0}]},
            middle: {"bullworks": [{REDIS_US: dearest}]},
            large: {"bullworks": [{REDIS_US: 50.0}]},
        }
    )
    assert results.growth((small, middle, large), "bullworks", REDIS_US) == pytest.approx(dearest / 100)
    assert verdict(goal("first 5,000 off a backlog: growth of redis CPU"), results, "bullworks").endswith(word)


def test_growth_is_unknown_while_a_size_is_missing() -> None:
    results = results_of({"priority-1k": {"bullworks": [{REDIS_US: 90.0}]}})
    assert results.growth(("priority-1k", "priority-100k"), "bullworks", REDIS_US) is None
    assert "grows" not in report(results)


def test_each_at_least_once_python_peer_is_compared_and_the_nearest_decides() -> None:
    """npm bullmq is no Python peer, celery is at most once: neither counts, however fast."""
    measured = rates(bullworks=[50], bullmq=[40], bullmq_py=[5], saq=[8], celery=[49])
    found = verdict(goal("drain, concurrency 100", "Python"), results_of({"drain-100": measured}), "bullworks")
    assert found == "6.2 (saq): reached"
    slower = verdict(
        goal("drain, concurrency 100", "Python"), results_of({"drain-100": measured | rates(saq=[11])}), "bullworks"
    )
    assert slower == "4.5 (saq): **missed**"


def test_adds_are_compared_with_async_peers_only_and_not_with_ourselves() -> None:
    measured = rates(bullworks=[24], bullworks_fast=[30], bullmq=[20], huey=[100])
    found = verdict(goal("5,000 adds, one after the other"), results_of({"add": measured}), "bullworks")
    assert found == "1.20 (npm bullmq): reached"


def test_the_lowest_latency_is_reached_when_no_async_peer_is_below() -> None:
    figures = {
        "bullworks": [{P50_MS: 1.0, P99_MS: 3.0}],
        "taskiq": [{P50_MS: 2.0, P99_MS: 2.0}],
        "huey": [{P50_MS: 0.1, P99_MS: 0.1}],
    }
    results = results_of({"latency": figures})
    assert verdict(goal("pickup latency, p50"), results, "bullworks").endswith(": reached")
    assert verdict(goal("pickup latency, p99"), results, "bullworks").startswith("1.50 (3.00 ms; taskiq")


@pytest.mark.parametrize(("ours", "word"), [(696.0, "reached"), (697.0, "**missed**")])
def test_as_many_bytes_as_npm_bullmq_are_not_fewer(ours: float, word: str) -> None:
    results = results_of({"drain-100": {"bullworks": [{BYTES: ours}], "bullmq": [{BYTES: 697.0}]}})
    assert verdict(goal("a waiting job"), results, "bullworks").endswith(word)


def test_a_goal_without_figures_is_no_row_and_neither_reached_nor_missed() -> None:
    results = results_of({"bulk": rates(bullworks=[1])})
    assert all(verdict(each, results, "bullworks") == "-" for each in GOALS)
    assert "**Goals**" not in report(results)


def test_a_peer_that_failed_or_lacks_a_workload_is_named_with_the_reason() -> None:
    results = results_of({"bulk": rates(bullworks=[1], saq=[])})
    results.miss("bulk", "saq", "failed: did not say 'done' within 120 s")
    results.miss("bulk", "bullmq-py", "no call")
    told = report(results)
    assert "- bulk: saq: failed: did not say 'done' within 120 s" in told
    assert "- bulk: PyPI bullmq, a pool: no call" in told


def test_peers_are_listed_best_first_and_the_ratio_is_to_npm_bullmq() -> None:
    told = report(results_of({"drain-10": rates(bullmq=[100], bullworks=[150])}))
    assert told.index("| Bullworks | 150 | - | - | 1.50 |") < told.index("| npm bullmq | 100 | - | - | 1.00 |")


def test_a_table_aligns_text_left_and_numbers_right() -> None:
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_a_run_that_was_ended_says_so() -> None:
    results = results_of({"bulk": rates(bullworks=[1])})
    results.ended = "by SIGTERM"
    assert "ended by SIGTERM" in report(results)


def test_saved_results_are_read_back_the_same(tmp_path: Path) -> None:
    results = results_of({"bulk": rates(bullworks=[1.5, 2.5])})
    results.save(tmp_path / "deep" / "results.json")
    assert Results.load(tmp_path / "deep" / "results.json") == results
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["results.json"]


def test_every_goal_names_something_that_is_measured() -> None:
    for names in GROWTH.values():
        assert all(name in WORKLOADS for name in names)
    assert len({(each.title, each.unit) for each in GOALS}) == len(GOALS)
