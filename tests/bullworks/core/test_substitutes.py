"""What stands in for providers and modules reaches every module, and says what it did not find."""

from typing import Any

import pytest
from dependency_injector import containers, providers

from bullworks.core import ForwardRef, ModuleContainer, WiringError, dynamic_module, module, provide
from bullworks.core.assembling import assemble
from bullworks.core.substitutes import Substitutes


class Mail:
    pass


class First:
    def __init__(self, mail: Mail) -> None:
        self.mail = mail


class Second:
    def __init__(self, mail: Mail) -> None:
        self.mail = mail


@module(providers=[First, Mail])
class FirstModule: ...


@module(providers=[Second, Mail])
class SecondModule: ...


@module(imports=[FirstModule, ForwardRef(lambda: SecondModule)])
class App: ...


def with_providers(target: type[Any], **values: Any) -> ModuleContainer:
    tokens = {"mail": Mail, "name": "name"}
    given = {tokens[name]: provide(tokens[name], use_value=value) for name, value in values.items()}
    return assemble(target, Substitutes(given))


def test_a_provider_is_replaced_in_every_module_that_lists_it() -> None:
    container = with_providers(App, mail="fake").build()
    assert container.get(First).mail == container.get(Second).mail == "fake"


def test_one_for_what_no_module_provides_is_visible_in_all() -> None:
    @module(imports=[module(providers=[First])(type("Inner", (), {}))], providers=[Second])
    class Outer: ...

    container = with_providers(Outer, mail="fake").build()
    assert container.get(First).mail == container.get(Second).mail == "fake"


def test_what_was_not_found_is_known_and_put_into_a_module_of_its_own() -> None:
    substitutes = Substitutes({"name": provide("name", use_value=1)}, {Second: FirstModule})
    container = assemble(FirstModule, substitutes)
    assert substitutes.unused_modules == [Second]
    assert substitutes.added is not None
    assert container.name() == 1


def test_a_module_is_replaced_wherever_it_is_imported_or_exported() -> None:
    @module(providers=[provide(Mail, use_value="fake")], exports=[Mail])
    class FakeModule: ...

    @module(providers=[Mail], exports=[Mail])
    class MailModule: ...

    @module(imports=[MailModule], exports=[MailModule])
    class Passing: ...

    @module(imports=[Passing], providers=[First])
    class Root: ...

    container = assemble(Root, Substitutes(modules={MailModule: FakeModule})).build()
    assert container.get(First).mail == "fake"


def test_a_class_stands_for_all_dynamic_modules_made_of_it_and_a_container_for_itself() -> None:
    class Dynamic:
        pass

    one = dynamic_module(Dynamic, providers=[provide("one", use_value="real")], exports=["one"])
    two = dynamic_module(Dynamic, providers=[provide("two", use_value="real")], exports=["two"])
    fake = dynamic_module(
        Mail, providers=[provide("one", use_value="fake"), provide("two", use_value="fake")], exports=["one", "two"]
    )

    @module(imports=[one, two])
    class Root: ...

    both = assemble(Root, Substitutes(modules={Dynamic: fake}))
    assert (both.get("one"), both.get("two")) == ("fake", "fake")
    only = dynamic_module(Mail, providers=[provide("one", use_value="fake")], exports=["one"])
    first = assemble(Root, Substitutes(modules={one._node.spec.identity: only}))
    assert (first.get("one"), first.get("two")) == ("fake", "real")


def test_overrides_on_a_recipe_that_is_replaced_go_with_it() -> None:
    recipe = dynamic_module(FirstModule)
    recipe.mail.override("overridden")
    fake = dynamic_module(SecondModule)

    @module(imports=[recipe])
    class Root: ...

    container = assemble(Root, Substitutes(modules={FirstModule: fake})).build()
    assert isinstance(container.get(Second).mail, Mail)


@pytest.mark.parametrize("token", ["mail", Mail])
def test_a_provider_of_a_foreign_container_is_replaced_by_name_or_class(token: Any) -> None:
    class Declared(containers.DeclarativeContainer):
        mail = providers.Singleton(Mail)

    @module(imports=[Declared()], providers=[First])
    class Root: ...

    container = assemble(Root, Substitutes({token: provide(token, use_value="fake")})).build()
    assert container.get(First).mail == "fake"


def test_a_replacement_that_does_not_fit_is_a_wiring_error() -> None:
    @module(imports=[SecondModule], providers=[provide("x", use_factory=lambda m: m, inject=[Second])])
    class Root: ...

    with pytest.raises(WiringError, match="Second"):
        assemble(Root, Substitutes(modules={SecondModule: FirstModule})).build()
