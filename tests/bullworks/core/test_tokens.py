"""Names: labels, snake_case, and the attributes of a container."""

import pytest

from bullworks.core import snake_case
from bullworks.core.arity import most_arguments
from bullworks.core.container import RESERVED_NAMES, ModuleContainer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EmailWorker", "email_worker"),
        ("HTTPServer", "http_server"),
        ("OAuth2Client", "o_auth2_client"),
        ("queue:email", "queue_email"),
        ("already_snake", "already_snake"),
        ("a-b.c d", "a_b_c_d"),
    ],
)
def test_snake_case_splits_words_as_a_reader_would(text: str, expected: str) -> None:
    assert snake_case(text) == expected


def test_no_name_that_a_container_uses_can_be_taken() -> None:
    assert {name for name in dir(ModuleContainer) if not name.startswith("_")} <= RESERVED_NAMES
    assert {"parent", "providers", "wire", "override", "get"} <= RESERVED_NAMES


def test_most_arguments_counts_what_a_function_takes() -> None:
    assert most_arguments(lambda: None, 3) == 0
    assert most_arguments(lambda a: None, 3) == 1
    assert most_arguments(lambda a, b=1, *, c=2: None, 3) == 2
    assert most_arguments(lambda *many: None, 3) == 3
    assert most_arguments(lambda a, b, c, d: None, 3) == 3


def test_a_function_that_says_nothing_about_itself_is_given_everything() -> None:
    assert most_arguments(max, 2) == 2
