"""Our runs are cron-parser's, in the table that tests/bullworks/node/cron_golden.mjs wrote."""

from __future__ import annotations

import pytest

from bullworks.cron_expression import CronExpressionError, CronSchedule
from tests.bullworks.cron_expression.golden import GOLDEN, Question

RUNS = [(Question.of(entry), entry["runs"]) for entry in GOLDEN["runs"]]

# Ours, where cron-parser ends a schedule in silence, or loses or repeats a run; see search.py there.
ON_PURPOSE = {
    "0 * * * * | Australia/Lord_Howe | 2024-04-06T13:10:00Z": ["14:00", "15:30", "16:30"],
    "*/10 * * * * | Australia/Lord_Howe | 2024-04-06T14:45:00Z": ["14:50", "15:00", "15:10"],
    "*/10 * * * * | Australia/Lord_Howe | 2024-10-05T15:05:00Z": ["15:10", "15:20", "15:30"],
    "0 9 * * * | Australia/Lord_Howe | 2024-04-06T12:10:00Z": ["22:30", "22:30", "22:30"],
    "30 2 * * * | Antarctica/Troll | 2024-10-26T20:10:00Z": ["00:30", "02:30", "02:30"],
    "*/25 1-3 * * * | Pacific/Chatham | 2025-09-27T13:05:00Z": ["13:15", "13:40", "14:05"],
    "30 22 * * * | America/Nuuk | 2026-03-27T20:10:00Z": ["00:30", "00:30", "23:30"],
    "0 8 * * * | America/Nuuk | 2026-03-28T01:10:00Z": ["10:00", "09:00", "09:00"],
}


@pytest.mark.parametrize(("question", "runs"), RUNS, ids=[str(question) for question, _ in RUNS])
def test_the_next_five_runs_are_those_of_cron_parser(question: Question, runs: list[str]) -> None:
    assert question.our_runs(5) == runs


def test_the_table_is_as_large_as_promised() -> None:
    assert len(RUNS) >= 250
    assert len({question.tz for question, _ in RUNS}) >= 12


@pytest.mark.parametrize("expression", GOLDEN["refused"] + GOLDEN["never"], ids=lambda text: repr(text[:40]))
def test_what_cron_parser_refuses_is_refused(expression: str) -> None:
    with pytest.raises(CronExpressionError) as refused:
        CronSchedule.parse(expression, tz="UTC")
    assert refused.value.expression == expression
    assert refused.value.reason


@pytest.mark.parametrize("tz", GOLDEN["refusedZones"], ids=repr)
def test_a_zone_that_node_does_not_know_is_refused(tz: str) -> None:
    with pytest.raises(CronExpressionError, match="unknown time zone") as refused:
        CronSchedule.parse("0 0 * * *", tz=tz)
    assert refused.value.field == "tz"


@pytest.mark.parametrize("entry", GOLDEN["different"], ids=lambda entry: str(Question.of(entry)))
def test_where_cron_parser_loses_or_repeats_runs_we_do_not(entry: dict[str, object]) -> None:
    """A new cron-parser that answers as we do shows here: then the case belongs into the table."""
    question = Question.of(entry)
    ours = question.our_runs(3)
    assert [run[11:16] for run in ours] == ON_PURPOSE[str(question)]
    assert entry["runs"] != ours
