"""What a refused expression says: which field, why, and what to write instead."""

from __future__ import annotations

import pickle

import pytest

from bullworks.cron_expression import CronExpressionError, CronSchedule


@pytest.mark.parametrize(
    ("expression", "field", "said"),
    [
        ("61 * * * * *", "second", "61 is not within 0-59"),
        ("60 * * * *", "minute", "60 is not within 0-59"),
        ("* 22-2 * * *", "hour", "22-2 is not a range within 0-23. Write the lower bound first, as in 1-5"),
        ("* * 15W * *", "day of month", "cannot read '15W'. It may hold numbers 1-31 and ? * , - / H L"),
        ("* * 0 * *", "day of month", "0 is not within 1-31"),
        ("* * * JANUARY *", "month", "'UAR' is not a month or weekday"),
        ("* * * * L", "day of week", "cannot read 'L'. The last Friday is 5L"),
        ("* * * * 5#6", "day of week", "cannot read '5#6'. Write one weekday and which of the month, 1 to 5"),
        ("*/0 * * * *", "minute", "'0-59/0' has no step above 0. Write a step of 1 or more"),
        ("1/2/3 * * * *", "minute", "'1/2/3' has two steps"),
        ("5- * * * *", "minute", "'5-' is not a range. Write two numbers"),
        ("1,,2 * * * *", "minute", "an item of the list is empty"),
        ("1,1-3 * * * *", "minute", "'1,1-3' names a value twice"),
        ("H(60-70) * * * *", "minute", "'H(60-70)' leaves no value within 0-59"),
        ("H/0 * * * *", "minute", "'H/0' has no step above 0"),
        (",".join(["*"] * 9) + " * * * *", "minute", "more than 256 values"),
        ("0 0 31 2 *", "day of month", "no month of 2 has a day 31. The last day of a month is L"),
        ("0 0 31 4,6 *", "day of month", "no month of 4,6 has a day 31"),
        ("* * * * * * *", None, "7 fields. Write five, or six with the seconds first"),
        ("", None, "it is empty. Write five or six fields"),
        (" \t ", None, "it is empty"),
        ("1" * 1025, None, "longer than 1024 characters"),
    ],
)
def test_a_refusal_names_the_field_and_the_reason(expression: str, field: str | None, said: str) -> None:
    with pytest.raises(CronExpressionError) as refused:
        CronSchedule.parse(expression, tz="UTC")
    assert refused.value.field == field
    assert said in str(refused.value)
    assert field is None or f", {field}: " in str(refused.value)


def test_a_refusal_survives_pickling_with_its_facts() -> None:
    error = pickle.loads(pickle.dumps(CronExpressionError("x", "minute", "why", "what")))
    assert (error.expression, error.field, error.reason, error.hint) == ("x", "minute", "why", "what")
    assert str(error) == "cron expression 'x', minute: why. what"


def test_a_refusal_is_a_value_error_without_a_cause() -> None:
    with pytest.raises(ValueError, match="60 is not within") as refused:
        CronSchedule.parse("60 * * * *")
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_long_expression_is_not_repeated_whole() -> None:
    assert len(str(CronExpressionError("9" * 5000, None, "why"))) < 200
