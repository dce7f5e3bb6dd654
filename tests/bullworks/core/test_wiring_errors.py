"""Wiring mistakes: every one is reported at once, with its path and a hint."""

# no `from __future__ import annotations` here: the tests below define their classes locally
import abc
import pickle
from typing import Annotated, Any, Protocol, Union

import pytest

from bullworks.core import Inject, Lazy, Token, WiringError, create_application, module, provide


class MailService:
    pass


class EmailQueue:
    pass


class EmailWorker:
    def __init__(self, mail: MailService, email_queue: EmailQueue) -> None: ...


def problems_of(module_class: type[Any]) -> str:
    with pytest.raises(WiringError) as caught:
        create_application(module_class).container.build()
    return str(caught.value)


def text_for(*providers: Any) -> str:
    return problems_of(module(providers=providers)(type("AppModule", (), {})))


def test_a_provider_that_is_not_exported_is_named_with_its_module() -> None:
    @module(providers=[MailService])
    class MailModule: ...

    @module(imports=[MailModule], providers=[EmailWorker, EmailQueue])
    class EmailModule: ...

    @module(imports=[EmailModule])
    class AppModule: ...

    assert problems_of(AppModule) == (
        "Can't resolve the dependencies of EmailWorker(?, email_queue) in AppModule > EmailModule: "
        "no provider for parameter `mail: MailService`.\n"
        "  Visible in EmailModule: EmailQueue, EmailWorker\n"
        "  Hint: MailModule provides it but doesn't export it; add it to exports of MailModule."
    )


def test_a_module_that_is_not_imported_is_named() -> None:
    @module(providers=[MailService], exports=[MailService])
    class MailModule: ...

    @module(providers=[EmailWorker, EmailQueue])
    class EmailModule: ...

    @module(imports=[MailModule, EmailModule])
    class AppModule: ...

    assert problems_of(AppModule) == (
        "Can't resolve the dependencies of EmailWorker(?, email_queue) in AppModule > EmailModule: "
        "no provider for parameter `mail: MailService`.\n"
        "  Visible in EmailModule: EmailQueue, EmailWorker\n"
        "  Hint: MailModule provides it; add MailModule to imports of EmailModule."
    )


def test_a_module_that_is_neither_imported_nor_exports_it_is_named() -> None:
    @module(providers=[MailService])
    class MailModule: ...

    @module(providers=[EmailWorker, EmailQueue])
    class EmailModule: ...

    @module(imports=[MailModule, EmailModule])
    class AppModule: ...

    assert problems_of(AppModule).endswith(
        "  Hint: MailModule provides it; add MailModule to imports of EmailModule, and it to exports of MailModule."
    )


def test_what_nobody_provides_says_where_to_add_it() -> None:
    assert text_for(EmailWorker, EmailQueue) == (
        "Can't resolve the dependencies of EmailWorker(?, email_queue) in AppModule: "
        "no provider for parameter `mail: MailService`.\n"
        "  Visible in AppModule: EmailQueue, EmailWorker\n"
        "  Hint: no module provides it; add MailService to providers of AppModule, "
        "or override `mail_service` in a test."
    )


def test_a_token_may_bring_its_own_advice() -> None:
    queue: Token[str] = Token("queue:email", hint="add BullModule.register_queue('email') to imports")
    assert text_for(provide("user", use_factory=str, inject=[queue])) == (
        "Can't resolve the dependencies of 'user'(?) in AppModule: "
        "no provider for parameter `inject[0]: queue:email`.\n"
        "  Visible in AppModule: 'user'\n"
        "  Hint: no module provides it; add BullModule.register_queue('email') to imports."
    )


def test_advice_and_a_near_name_come_together() -> None:
    asked: Token[str] = Token("queue:emial", hint="add BullModule.register_queue('emial') to imports")
    known: Token[str] = Token("queue:email")
    text = text_for(provide(known, use_value=1), provide("user", use_factory=str, inject=[asked]))
    assert text.endswith("  Hint: did you mean queue:email? Else add BullModule.register_queue('emial') to imports.")


def test_a_builtin_type_needs_a_marker_or_a_default() -> None:
    class Client:
        def __init__(self, url: str, retries: int = 3) -> None: ...

    assert text_for(Client) == (
        "Can't resolve the dependencies of Client(?, retries) in AppModule: no provider for parameter `url: str`.\n"
        "  Visible in AppModule: Client\n"
        "  Hint: a str could be any; use Annotated[str, Inject(token)], or give it a default."
    )


def test_a_parameter_without_annotation_needs_one() -> None:
    class Client:
        def __init__(self, url) -> None: ...  # type: ignore[no-untyped-def]

    assert text_for(Client) == (
        "Can't resolve the dependencies of Client(?) in AppModule: no provider for parameter `url`.\n"
        "  Visible in AppModule: Client\n"
        "  Hint: annotate `url` with a class, or with Annotated[T, Inject(token)]."
    )


def test_a_union_of_classes_names_none_of_them() -> None:
    class Client:
        def __init__(self, peer: Union[MailService, EmailQueue]) -> None: ...  # noqa: UP007

    assert text_for(Client, MailService).endswith(
        "no provider for parameter `peer: MailService | EmailQueue`.\n"
        "  Visible in AppModule: Client, MailService\n"
        "  Hint: annotate `peer` with a class, or with Annotated[T, Inject(token)]."
    )


def test_a_near_name_is_suggested() -> None:
    text = text_for(provide("REDIS_URL", use_value="x"), provide("a", use_factory=str, inject=["REDIS_URI"]))
    assert text == (
        "Can't resolve the dependencies of 'a'(?) in AppModule: no provider for parameter `inject[0]: 'REDIS_URI'`.\n"
        "  Visible in AppModule: 'REDIS_URL', 'a'\n"
        "  Hint: did you mean 'REDIS_URL'?"
    )


def test_what_use_existing_names_is_asked_for_by_that_name() -> None:
    assert text_for(provide("a", use_existing="b")) == (
        "Can't resolve the dependencies of 'a'(?) in AppModule: no provider for parameter `use_existing: 'b'`.\n"
        "  Visible in AppModule: 'a'\n"
        "  Hint: no module provides it; add 'b' to providers of AppModule, or override `b` in a test."
    )


def test_two_classes_of_one_name_are_told_apart() -> None:
    other = type("MailService", (), {"__module__": "somewhere.else"})
    text = text_for(EmailWorker, EmailQueue, other)
    assert text.endswith(
        "  Hint: tests.bullworks.core.test_wiring_errors.MailService is requested, "
        "somewhere.else.MailService is provided: two classes of one name."
    )


def test_an_import_under_type_checking_is_explained() -> None:
    def make(mail: "OnlyForTypeCheckers") -> None: ...  # type: ignore[name-defined] # noqa: F821

    make.__qualname__ = "make"
    assert text_for(provide("mail", use_factory=make)) == (
        "Can't resolve the dependencies of 'mail'(?) in AppModule: "
        "no provider for parameter `mail: OnlyForTypeCheckers`.\n"
        "  Visible in AppModule: 'mail'\n"
        "  Hint: `OnlyForTypeCheckers` does not exist at run time; import it for real, not under TYPE_CHECKING: "
        "the container reads annotations."
    )


def test_an_attribute_that_a_module_lacks_is_named() -> None:
    def make(mail: "pickle.Mail") -> None: ...  # type: ignore[name-defined]

    make.__qualname__ = "make"
    assert "  Hint: `Mail` does not exist at run time; import it for real" in text_for(
        provide("mail", use_factory=make)
    )


def test_an_annotation_that_is_no_type_is_shown_with_the_reason() -> None:
    def make(mail, url) -> None: ...  # type: ignore[no-untyped-def]

    make.__annotations__ = {"mail": "MailService[", "url": "MailService | 3"}
    text = text_for(provide("made", use_factory=make), MailService)
    assert "no provider for parameter `mail: MailService[`." in text
    assert "  Hint: the annotation of `mail` can't be read: " in text
    assert "  Hint: the annotation of `url` can't be read: unsupported operand type(s) for |: 'type' and 'int'" in text


def test_a_class_local_to_a_function_is_explained() -> None:
    class Local: ...

    class Client:
        def __init__(self, local: "Local", mail: MailService) -> None: ...

    assert text_for(Local, Client, MailService) == (
        "Can't resolve the dependencies of Client(?, mail) in AppModule: no provider for parameter `local: Local`.\n"
        "  Visible in AppModule: Client, Local, MailService\n"
        "  Hint: `Local` is local to a function, where `from __future__ import annotations` hides it; "
        "define it at module level, or leave that import out."
    )


def test_constructors_that_need_each_other_are_shown_as_a_circle() -> None:
    assert text_for(Hen, Egg) == (
        "Circular dependency in AppModule: Hen -> Egg -> Hen.\n"
        "  Hint: take Lazy[Egg] in Hen and call it when you need it."
    )


class Hen:
    def __init__(self, egg: "Egg") -> None: ...


class Egg:
    def __init__(self, hen: Hen) -> None: ...


def test_a_class_that_needs_itself_is_a_circle() -> None:
    assert text_for(Narcissus) == (
        "Circular dependency in AppModule: Narcissus -> Narcissus.\n"
        "  Hint: take Lazy[Narcissus] in Narcissus and call it when you need it."
    )


class Narcissus:
    def __init__(self, image: "Narcissus") -> None: ...


def test_an_alias_of_itself_is_a_circle() -> None:
    assert text_for(provide("a", use_existing="b"), provide("b", use_existing="a")) == (
        "Circular dependency in AppModule: 'a' -> 'b' -> 'a'.\n"
        "  Hint: let one of them be provided by something else than use_existing."
    )


def test_factories_that_need_each_other_are_told_how_to_ask_lazily() -> None:
    text = text_for(
        provide("a", use_existing="b"),
        provide("b", use_factory=dict, inject=["c"]),
        provide("c", use_factory=dict, inject=["a"]),
    )
    assert text == (
        "Circular dependency in AppModule: 'a' -> 'b' -> 'c' -> 'a'.\n"
        "  Hint: take Annotated[Lazy[T], Inject('c')] in 'b' and call it when you need it."
    )


def test_the_hint_for_a_circle_resolves_it() -> None:
    first = provide("a", use_factory=lambda b: ["a", b], inject=[Annotated[Lazy[str], Inject("b")]])
    made = create_application(
        module(providers=[first, provide("b", use_factory=lambda a: a[:1], inject=["a"])])(type("App", (), {}))
    ).container.build()
    name, lazily = made.get("a")
    assert (name, lazily()) == ("a", ["a"])


def test_an_abstract_class_and_a_protocol_cannot_be_provided_by_themselves() -> None:
    class Mailer(abc.ABC):
        @abc.abstractmethod
        def send(self) -> None: ...

    class Clock(Protocol):
        def now(self) -> int: ...

    assert text_for(Mailer, Clock) == (
        "2 problems in the wiring:\n"
        "1. Mailer of AppModule can't be built: Mailer is abstract, it lacks send.\n"
        "  Hint: provide(Mailer, use_class=...) with a class that implements it.\n"
        "2. Clock of AppModule can't be built: Clock is a Protocol.\n"
        "  Hint: provide(Clock, use_class=...) with a class that implements it."
    )

    class Smtp(Mailer):
        def send(self) -> None: ...

    app = create_application(module(providers=[provide(Mailer, use_class=Smtp), Clock])(type("App", (), {})))
    app.container.clock.override(lambda: 0)
    assert isinstance(app.container.build().get(Mailer), Smtp)


def test_all_failures_are_listed_at_once() -> None:
    class Other:
        def __init__(self, queue: EmailQueue) -> None: ...

    text = text_for(EmailWorker, Other, Hen, Egg)
    assert text.startswith("4 problems in the wiring:\n1. ")
    for part in ("EmailWorker(?, email_queue)", "EmailWorker(mail, ?)", "Other(?)", "Hen -> Egg -> Hen"):
        assert part in text


def test_a_long_list_of_visible_names_is_cut() -> None:
    many = [provide(f"value_{number:02}", use_value=number) for number in range(40)]
    text = text_for(*many, EmailWorker, EmailQueue)
    assert "'value_29' and 12 more" in text


def test_a_call_before_the_check_explains_itself_too() -> None:
    @module(providers=[EmailWorker, EmailQueue])
    class AppModule: ...

    with pytest.raises(WiringError, match="no provider for parameter `mail: MailService`"):
        create_application(AppModule).container.email_worker()


def test_the_error_pickles() -> None:
    with pytest.raises(WiringError) as caught:
        create_application(module(providers=[EmailWorker])(type("AppModule", (), {}))).container.build()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert copy.problems == caught.value.problems
    assert str(copy) == str(caught.value)


def test_an_annotation_with_a_token_is_named_by_both() -> None:
    class Client:
        def __init__(self, queue: Annotated[EmailQueue, Inject("queue")]) -> None: ...

    assert "no provider for parameter `queue: EmailQueue (token 'queue')`." in text_for(Client)
