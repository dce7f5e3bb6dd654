"""Names: labels, snake_case, and the attributes of a container."""

from typing import Annotated

import pytest

from bullworks.arity import most_arguments
from bullworks.core import Inject, Token, WiringError, create_application, dynamic_module, provide, snake_case
from bullworks.core.container import RESERVED_NAMES, ModuleContainer


class App: ...


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


NAMES = [
    "a b",
    "a.b",
    "a-b",
    "it's",
    'say "hi"',
    "3rd party",
    "class",
    "get",
    "providers",
    "parent",
    "",
    "日本",
    "_x",
    "n\nl",
]


async def test_a_token_may_be_any_string() -> None:
    """Some would hide parts of the container, or are no names in Python, or differ in nothing that a name can hold."""

    class Consumer:
        def __init__(self, reserved: Annotated[str, Inject("get")], spaced: Annotated[str, Inject("a b")]) -> None:
            self.got = (reserved, spaced)

    providers = [Consumer, *(provide(name, use_value=f"<{name}>") for name in NAMES)]
    async with create_application(dynamic_module(App, providers=providers, exports=NAMES)) as app:
        assert app.get(Consumer).got == ("<get>", "<a b>")
        for name in NAMES:
            assert app.get(name) == app.provider_of(name)() == f"<{name}>"
        shown = {name: provider() for name, provider in app.container.providers.items()}
        assert set(shown.values()) >= {f"<{name}>" for name in NAMES}
        assert all(name.isidentifier() for name in shown)


@pytest.mark.parametrize(
    ("names", "attributes"),
    [
        (["a b", "a.b", "a-b"], ["a_b", "a_b_2", "a_b_3"]),
        (["class", "get", "parent"], ["class_", "get_", "parent_"]),
        (["3rd party", "", "日本"], ["token_3rd_party", "token", "token_2"]),
        (["get", "get "], ["get_", "get_2"]),
        (["mail", "mail_2", "mail!"], ["mail", "mail_2", "mail_3"]),
    ],
)
def test_an_attribute_is_made_up_where_a_name_has_none_of_its_own(names: list[str], attributes: list[str]) -> None:
    made = dynamic_module(App, providers=[provide(name, use_value=name) for name in names])
    assert [made.providers[attribute]() for attribute in attributes] == names


@pytest.mark.parametrize("is_first", [True, False])
def test_a_class_and_a_chosen_attribute_go_before_a_string_whoever_is_listed_first(is_first: bool) -> None:
    class MailService: ...

    chosen: Token[str] = Token("other", attr="outbox")
    strings = [provide("mail-service", use_value="text"), provide("outbox", use_value="text")]
    fixed = [MailService, provide(chosen, use_value="chosen")]
    made = dynamic_module(App, providers=[*strings, *fixed] if is_first else [*fixed, *strings])
    assert isinstance(made.mail_service(), MailService)
    assert made.outbox() == "chosen"
    assert made.mail_service_2() == made.outbox_2() == "text"


def test_what_is_missing_takes_no_providers_attribute_away() -> None:
    class MailService: ...

    class Worker:
        def __init__(self, mail: MailService) -> None:
            self.mail = mail

    made = dynamic_module(App, providers=[Worker, provide("mail-service", use_value="text")])
    assert made.mail_service() == "text"
    with pytest.raises(WiringError, match="or override `worker_mail` in a test"):
        made.build()
    made.worker_mail.override("fake")
    assert made.get(Worker).mail == "fake"
