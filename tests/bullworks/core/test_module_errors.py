"""Mistakes in what modules list: names, imports, exports, providers."""

from typing import Any

import pytest
from dependency_injector import containers, providers

from bullworks.core import ForwardRef, Token, dynamic_module, module, provide
from tests.bullworks.core.test_wiring_errors import MailService, problems_of, text_for


class Users(containers.DeclarativeContainer):
    users = providers.Object(1)


def test_an_attribute_that_the_container_needs_is_refused() -> None:
    class Parent: ...

    assert text_for(Parent) == (
        "Parent would be the attribute 'parent' of AppModule, which the container needs for itself.\n"
        "  Hint: rename the class, or provide it by a Token(name, attr=...)."
    )


def test_an_attribute_that_is_no_identifier_is_refused() -> None:
    token: Token[int] = Token("third", attr="3rd_party")
    assert text_for(provide(token, use_value=1)) == (
        "third would be the attribute '3rd_party' of AppModule, which is not a Python name.\n"
        "  Hint: rename the class, or provide it by a Token(name, attr=...)."
    )


def test_a_token_with_an_attribute_of_its_own_may_have_any_name() -> None:
    token: Token[int] = Token("providers", attr="all_providers")
    container = dynamic_module(type("AppModule", (), {}), providers=[provide(token, use_value=1)])
    assert container.all_providers() == 1


def test_two_tokens_that_ask_for_one_attribute_are_refused() -> None:
    token: Token[int] = Token("mails", attr="mail_service")
    assert text_for(MailService, provide(token, use_value=1)) == (
        "MailService and mails would both be the attribute 'mail_service' of AppModule.\n"
        "  Hint: provide one of them by a Token(name, attr=...)."
    )


def test_a_token_provided_twice_in_one_module_is_refused() -> None:
    assert text_for(MailService, provide(MailService, use_value=1)) == (
        "AppModule provides MailService twice.\n  Hint: keep one of them in its providers."
    )


def test_a_provider_that_is_an_instance_is_refused() -> None:
    assert text_for(3) == (
        "AppModule has 3 in its providers, which is no class.\n"
        "  Hint: list a class, or what provide(token, use_value=...) returns."
    )


def test_a_module_among_the_providers_belongs_in_imports() -> None:
    mail_module = module(providers=[MailService])(type("MailModule", (), {}))
    for given in (mail_module, dynamic_module(mail_module)):
        assert text_for(given) == (
            f"AppModule has {'MailModule' if given is mail_module else '<ModuleContainer MailModule>'} "
            "in its providers, which is a module.\n"
            "  Hint: add it to imports of AppModule."
        )


def test_exporting_what_is_neither_provided_nor_imported_says_where_to_add_it() -> None:
    app_module = module(exports=[MailService])(type("AppModule", (), {}))
    assert problems_of(app_module) == (
        "AppModule exports MailService, which it neither provides nor imports.\n"
        "  Hint: add it to the providers of AppModule, or import the module that exports it."
    )


@pytest.mark.parametrize("name", ["imports", "providers", "exports"])
def test_one_class_where_a_list_belongs_is_refused(name: str) -> None:
    with pytest.raises(TypeError) as caught:
        module(**{name: MailService})(type("AppModule", (), {}))
    assert str(caught.value) == f"AppModule: {name}= takes a list, not {MailService!r}; write {name}=[...]"


def test_a_token_is_a_class_a_token_or_a_name() -> None:
    with pytest.raises(TypeError) as caught:
        provide(3, use_value=1)  # type: ignore[call-overload, unused-ignore]
    assert str(caught.value) == "provide() takes a class, a Token or a str as its token, not 3"


@pytest.mark.parametrize(
    ("imported", "hint"),
    [
        (None, "the modules import each other in a cycle; use ForwardRef(lambda: TheModule)"),
        (MailService, "decorate the class with @module(...); a plain class belongs in providers"),
        (Users, "import an instance of the container, not its class"),
        (3, "imports takes module classes, for_root() containers and dependency-injector containers"),
    ],
)
def test_an_import_that_is_no_module_is_refused(imported: Any, hint: str) -> None:
    @module(imports=[imported])
    class AppModule: ...

    shown = imported.__name__ if isinstance(imported, type) else imported
    assert problems_of(AppModule) == f"AppModule imports {shown}, which is not a module.\n  Hint: {hint}."


def test_an_application_needs_a_module() -> None:
    assert problems_of(MailService) == (
        "The application imports MailService, which is not a module.\n"
        "  Hint: decorate the class with @module(...); a plain class belongs in providers."
    )


def test_a_forward_reference_to_no_module_is_refused() -> None:
    @module(imports=[ForwardRef(lambda: MailService)])
    class AppModule: ...

    assert "AppModule imports MailService, which is not a module." in problems_of(AppModule)


def test_a_bad_name_is_not_followed_by_complaints_of_those_who_need_it() -> None:
    class Parent: ...

    class Child:
        def __init__(self, parent: Parent) -> None: ...

    assert text_for(Parent, Child).startswith("Parent would be the attribute 'parent' of AppModule")
