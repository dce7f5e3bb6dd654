"""Wiring mistakes: every one is reported at once, with its path and a hint."""

# no `from __future__ import annotations` here: the tests below define their classes locally
import pickle
from typing import Annotated, Any, Union

import pytest

from app.core import ForwardRef, Inject, Token, WiringError, create_application, dynamic_module, module, provide


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

    assert (
        "Hint: MailModule provides it; add MailModule to imports of EmailModule, and it to exports of MailModule."
    ) in problems_of(AppModule)


def test_what_nobody_provides_says_where_to_add_it() -> None:
    assert text_for(EmailWorker, EmailQueue) == (
        "Can't resolve the dependencies of EmailWorker(?, email_queue) in AppModule: "
        "no provider for parameter `mail: MailService`.\n"
        "  Visible in AppModule: EmailQueue, EmailWorker\n"
        "  Hint: no module provides it; add MailService to providers of AppModule, "
        "or override `mail_service` in a test."
    )


def test_a_token_may_bring_its_own_advice() -> None:
    queue: Token[str] = Token("queue:email", hint="add WorkersModule.register_queue('email') to imports")
    text = text_for(provide("user", use_factory=str, inject=[queue]))
    assert "Hint: no module provides it; add WorkersModule.register_queue('email') to imports." in text


def test_a_builtin_type_needs_a_marker_or_a_default() -> None:
    class Client:
        def __init__(self, url: str, retries: int = 3) -> None: ...

    text = text_for(Client)
    assert "Client(?, retries)" in text
    assert "Hint: a str could be any; use Annotated[str, Inject(token)], or give it a default." in text


def test_a_parameter_without_annotation_needs_one() -> None:
    class Client:
        def __init__(self, url) -> None: ...  # type: ignore[no-untyped-def]

    assert "Hint: annotate `url` with a class, or with Annotated[T, Inject(token)]." in text_for(Client)


def test_a_union_of_classes_names_none_of_them() -> None:
    class Client:
        def __init__(self, peer: Union[MailService, EmailQueue]) -> None: ...  # noqa: UP007

    assert "Hint: annotate `peer` with a class" in text_for(Client, MailService)


def test_a_near_name_is_suggested() -> None:
    text = text_for(provide("REDIS_URL", use_value="x"), provide("a", use_factory=str, inject=["REDIS_URI"]))
    assert "no provider for parameter `inject[0]: 'REDIS_URI'`." in text
    assert text.endswith("Hint: did you mean 'REDIS_URL'?")


def test_two_classes_of_one_name_are_told_apart() -> None:
    other = type("MailService", (), {"__module__": "somewhere.else"})
    text = text_for(EmailWorker, EmailQueue, other)
    assert (
        "Hint: tests.core.test_wiring_errors.MailService is asked for, somewhere.else.MailService is provided: "
        "two classes of one name." in text
    )


def test_an_import_under_type_checking_is_explained() -> None:
    def make(mail: "OnlyForTypeCheckers") -> None: ...  # type: ignore[name-defined] # noqa: F821

    make.__qualname__ = "make"
    text = text_for(provide("mail", use_factory=make))
    assert "mail(?) in AppModule: no provider for parameter `mail: OnlyForTypeCheckers`." in text.replace("'", "")
    assert "Hint: `OnlyForTypeCheckers` does not exist at run time; import it for real" in text


def test_a_class_local_to_a_function_is_explained() -> None:
    class Local: ...

    class Client:
        def __init__(self, local: "Local", mail: MailService) -> None: ...

    text = text_for(Local, Client, MailService)
    assert "Client(?, mail)" in text
    assert "Hint: `Local` is local to a function" in text


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
    assert "Circular dependency in AppModule: Narcissus -> Narcissus." in text_for(Narcissus)


class Narcissus:
    def __init__(self, image: "Narcissus") -> None: ...


def test_an_alias_of_itself_is_a_circle() -> None:
    assert "'a' -> 'b' -> 'a'" in text_for(provide("a", use_existing="b"), provide("b", use_existing="a"))


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


def test_an_attribute_that_the_container_needs_is_refused() -> None:
    class Parent: ...

    assert text_for(Parent) == (
        "Parent would be the attribute 'parent' of AppModule, which the container needs for itself.\n"
        "  Hint: rename the class, or provide it by a Token(name, attr=...)."
    )


def test_an_attribute_that_is_no_identifier_is_refused() -> None:
    assert "would be the attribute '3rd_party'" in text_for(provide("3rd party", use_value=1))


def test_a_token_with_an_attribute_of_its_own_may_have_any_name() -> None:
    token: Token[int] = Token("providers", attr="all_providers")
    container = dynamic_module(type("AppModule", (), {}), providers=[provide(token, use_value=1)])
    assert container.all_providers() == 1


def test_two_tokens_of_one_attribute_are_refused() -> None:
    assert text_for(MailService, provide("mail-service", use_value=1)) == (
        "MailService and 'mail-service' would both be the attribute 'mail_service' of AppModule.\n"
        "  Hint: provide one of them by a Token(name, attr=...)."
    )


def test_a_token_provided_twice_in_one_module_is_refused() -> None:
    assert "AppModule provides MailService twice." in text_for(MailService, provide(MailService, use_value=1))


def test_a_provider_that_is_an_instance_is_refused() -> None:
    text = text_for(3)
    assert text.startswith("AppModule has 3 in its providers, which is no class.")
    assert "provide(token, use_value=...)" in text


@pytest.mark.parametrize(
    ("imported", "hint"),
    [
        (None, "the modules import each other in a circle; use ForwardRef(lambda: TheModule)"),
        (MailService, "decorate the class with @module(...); a plain class belongs in providers"),
        (3, "imports takes module classes, for_root() containers and dependency-injector containers"),
    ],
)
def test_an_import_that_is_no_module_is_refused(imported: Any, hint: str) -> None:
    @module(imports=[imported])
    class AppModule: ...

    text = problems_of(AppModule)
    assert text.startswith("AppModule imports ")
    assert text.endswith(f"which is no module.\n  Hint: {hint}.")


def test_an_application_needs_a_module() -> None:
    assert "The application imports MailService, which is no module." in problems_of(MailService)


def test_a_forward_reference_to_no_module_is_refused() -> None:
    @module(imports=[ForwardRef(lambda: MailService)])
    class AppModule: ...

    assert "AppModule imports MailService, which is no module." in problems_of(AppModule)


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


def test_a_bad_name_is_not_followed_by_complaints_of_those_who_need_it() -> None:
    class Parent: ...

    class Child:
        def __init__(self, parent: Parent) -> None: ...

    assert text_for(Parent, Child).startswith("Parent would be the attribute 'parent' of AppModule")
