"""The installed cron-parser still answers as the golden table says, and as we do on expressions nobody wrote down."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from bullworks.cron_expression import CronExpressionError
from tests.bullworks.cron_expression.golden import GOLDEN, Question, ask_node

pytestmark = pytest.mark.node

ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Casablanca"]
ZONES += ["Africa/Cairo", "America/Havana", "Atlantic/Azores", "America/Santiago", "Pacific/Auckland", "Asia/Kathmandu"]
QUESTIONS = 600
RUNS = 5
# A text of these is rarely an expression: about one in eight is.
DIRT = [*"0123456789*?,-/L#", "MON", "jul", "FRI", "JAN", "sun", "1-5", "*/", "5#2", "59", "W", "x", "H"]


def test_a_sample_of_the_table_is_what_the_installed_cron_parser_says() -> None:
    entries = random.Random().sample(GOLDEN["runs"], 150)
    answers = ask_node([Question.of(entry) for entry in entries], RUNS)
    assert [answer.get("runs") for answer in answers] == [entry["runs"] for entry in entries]


def test_random_expressions_around_clock_changes_run_as_in_node() -> None:
    seed = random.randrange(2**32)
    source = random.Random(seed)
    questions = [
        Question(_expression(source), source.choice(ZONES), _start(source).isoformat().replace("+00:00", "Z"))
        for _ in range(QUESTIONS)
    ]
    _assert_same(questions, f"random seed {seed}")


def test_random_dirt_is_taken_or_refused_as_in_node() -> None:
    seed = random.randrange(2**32)
    source = random.Random(seed)
    questions = []
    for number in range(QUESTIONS):
        fields = ["*"] * source.choice([5, 5, 5, 6, 4])
        fields[source.randrange(len(fields))] = "".join(source.choices(DIRT, k=source.randint(1, 4)))
        start = _start(source).isoformat().replace("+00:00", "Z")
        questions.append(Question(" ".join(fields), "UTC", start, seed=f"seed {number}"))
    _assert_same(questions, f"random seed {seed}")


def _assert_same(questions: list[Question], told: str) -> None:
    wrong = []
    for question, answer in zip(questions, ask_node(questions, RUNS), strict=True):
        # Taken by cron-parser, but without a single run: refused here.
        theirs = None if "refused" in answer or not answer["runs"] else answer["runs"]
        try:
            ours = question.our_runs(RUNS)
        except CronExpressionError:
            ours = None
        if ours != theirs:
            wrong.append(f"{question}\n  node {answer}\n  ours {ours}")
    assert not wrong, f"{told}: {len(wrong)} of {len(questions)} differ\n" + "\n".join(wrong[:10])


def _start(source: random.Random) -> datetime:
    """Mostly within a week in which some clock of ZONES is changed."""
    if source.random() < 0.3:
        return datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=source.randrange(20 * 365 * 86_400))
    month, first_day = source.choice([(2, 22), (3, 5), (3, 25), (4, 1), (4, 22), (9, 3), (9, 24), (10, 22), (10, 30)])
    began = datetime(source.randint(2017, 2030), month, first_day, tzinfo=UTC)
    return began + timedelta(milliseconds=source.randrange(9 * 86_400_000) // 500 * 500)


def _expression(source: random.Random) -> str:
    hours = ["*", "*/2", "0", "1", "2", "3", "23", "0,23", "1,2", "0-3", "1-23", "22-23", str(source.randint(0, 23))]
    days = ["*"] * 6 + ["?", "L", "15,L", "1-7", "25/2", str(source.randint(1, 31))]
    months = ["*"] * 8 + ["mar", "OCT-NOV", "*/3", "2", str(source.randint(1, 12))]
    weekdays = ["*"] * 6 + ["0", "SUN,sat", "1-5", "5L", "0L", "7", f"{source.randint(0, 7)}#{source.randint(1, 5)}"]
    second = [_clock_field(source)] if source.random() < 0.25 else []
    return " ".join([*second, _clock_field(source), *map(source.choice, (hours, days, months, weekdays))])


def _clock_field(source: random.Random) -> str:
    low = source.randint(0, 59)
    return source.choice(["*", "0", "30", f"*/{source.randint(1, 30)}", str(low), f"{low}-59/{source.randint(1, 20)}"])
