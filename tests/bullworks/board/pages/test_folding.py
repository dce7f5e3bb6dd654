"""Errors that are one error, as people see them: a table of real ones, and what holds for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.board.pages.folding import LONGEST_CHARS, NO_REASON, fold, group_id

# Each row: reasons of the wild that are one error, and what they are shown as.
ALIKE = [
    # Node
    (["connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED 10.0.3.17:5432"], "connect ECONNREFUSED <host>"),
    (["connect ECONNREFUSED [::1]:6379", "connect ECONNREFUSED [fe80::1%eth0]:6379"], "connect ECONNREFUSED <host>"),
    (["getaddrinfo ENOTFOUND api.example.com"], "getaddrinfo ENOTFOUND api.example.com"),
    (["timeout of 5000ms exceeded", "timeout of 12000ms exceeded"], "timeout of #ms exceeded"),
    (["Request failed with status code 404"], "Request failed with status code 404"),
    (["Unexpected token < in JSON at position 0", "Unexpected token < in JSON at position 71"],
     "Unexpected token < in JSON at position #"),
    (["Cannot read properties of undefined (reading 'id')"], "Cannot read properties of undefined (reading 'id')"),
    (["No such customer: 'cus_NffrFeUfNV2Hib'", "No such customer: 'cus_9s6XKzkNRiz8i3'"], 'No such customer: "…"'),
    (["No such price: price_1MoBy5LkdIwHu7ixZhnattbh", "No such price: price_1NpRt8LkdIwHu7ixAbCdEfGh"],
     "No such price: <id>"),
    (["user 5f8d0d55b54764421b7156d9 not found", "user 507f1f77bcf86cd799439011 not found"], "user <id> not found"),
    (['E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "a@b.de" }',
      'E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "x.y@example.org" }'],
     'E11000 duplicate key error collection: shop.users index: email_# dup key: { email: "…" }'),
    (["\nInvalid `prisma.user.create()` invocation:\n\n\nUnique constraint failed on the fields: (`email`)"],
     "Invalid `prisma.user.create()` invocation: Unique constraint failed on the fields: (`email`)"),
    (["job 17 stalled more than allowable limit", "job 18 stalled more than allowable limit"],
     "job # stalled more than allowable limit"),
    (["Token expired at 2026-11-24T12:30:45.123Z", "Token expired at 2026-11-23T02:00:00+01:00"],
     "Token expired at <time>"),
    # Python
    (["[Errno 111] Connection refused"], "[Errno 111] Connection refused"),
    (["[Errno 2] No such file or directory: '/tmp/a8f/in.csv'",
      "[Errno 2] No such file or directory: '/tmp/b/in 2.csv'"],
     '[Errno 2] No such file or directory: "…"'),
    (["'NoneType' object has no attribute 'get'"], "'NoneType' object has no attribute 'get'"),
    (["invalid literal for int() with base 10: '12a'", "invalid literal for int() with base 10: 'abc'"],
     "invalid literal for int() with base #: \"…\""),
    (["404 Client Error: Not Found for url: https://api.test/users/7",
      "404 Client Error: Not Found for url: https://api.test/users/99"],
     "404 Client Error: Not Found for url: https://api.test/users/#"),
    (["HTTP Error 503: Service Unavailable"], "HTTP Error 503: Service Unavailable"),
    (["No module named 'lxml'"], "No module named 'lxml'"),
    (['duplicate key value violates unique constraint "users_email_key"\nDETAIL:  Key (email)=(a@b.com) exists.',
      'duplicate key value violates unique constraint "users_email_key"\nDETAIL:  Key (email)=(c@d.org) exists.'],
     'duplicate key value violates unique constraint "users_email_key" DETAIL: Key (email)=(<mail>) exists.'),
    (["<Order object at 0x7f3b2c1d5e80> is closed", "<Order object at 0x7f3b2c1d5f10> is closed"],
     "<Order object at <id>> is closed"),
    (["order 3f2504e0-4f89-41d3-9a0c-0305e82c3301 is gone", "order 9b2d8c6e-1111-4222-8333-abcdefabcdef is gone"],
     "order <id> is gone"),
    (["Can't connect to peer 3", "Can't connect to peer 4"], "Can't connect to peer #"),
    (["", "   \n"], NO_REASON),
]  # fmt: skip


@pytest.mark.parametrize(("reasons", "shown"), ALIKE, ids=lambda value: str(value)[:30])
def test_what_differs_from_job_to_job_is_folded(reasons: list[str], shown: str) -> None:
    assert [fold(reason) for reason in reasons] == [shown] * len(reasons)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Request failed with status code 404", "Request failed with status code 500"),
        ("Cannot read properties of undefined (reading 'id')", "Cannot read properties of undefined (reading 'name')"),
        ("'NoneType' object has no attribute 'a'", "'NoneType' object has no attribute 'b'"),
        ('relation "jobs" does not exist', 'relation "users" does not exist'),
        ("[Errno 2] x", "[Errno 13] x"),
        ("getaddrinfo ENOTFOUND a.example", "getaddrinfo ENOTFOUND b.example"),
    ],
)
def test_different_errors_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)
    assert group_id(fold(one)) != group_id(fold(other))


def test_a_group_is_named_by_few_plain_characters_whatever_the_error() -> None:
    assert group_id("\ud800 <b>").isalnum()
    assert len(group_id("x" * 500)) == 16


TEXT = st.text() | st.text(alphabet="ab1:0.-@'\"`<>[ ]xF_$(#…", max_size=400)


@given(TEXT)
def test_folding_twice_is_folding_once(reason: str) -> None:
    once = fold(reason)
    assert fold(once) == once
    assert 0 < len(once) <= LONGEST_CHARS


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "'", '"', "`", ":", "1:", "a1", "a.", "a@", "a@a.", "-", "[", "0x", " ", "'a'1", "a1b2'x'", "http "],
)
def test_a_hostile_reason_takes_no_longer(unit: str) -> None:
    """Nothing in the patterns makes time grow faster than the text: a megabyte would take longer than a test may."""
    assert fold.__wrapped__(unit * (1_000_000 // len(unit)))
