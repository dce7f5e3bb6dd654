"""What NestJS's users know of modules and rely on, and where we say more than it does."""

from typing import Annotated, Any

import pytest

from bullworks.core import (
    ForwardRef,
    Inject,
    Lazy,
    Scope,
    WiringError,
    create_application,
    injectable,
    module,
    provide,
)


class Mail: ...


class Clock: ...


@injectable(scope=Scope.REQUEST)
class Session:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock


class Repo:
    def __init__(self, session: Session) -> None:
        self.session = session


class Service:
    def __init__(self, repo: Repo, clock: Clock) -> None:
        self.repo, self.clock = repo, clock


def an_app(*providers: Any, imports: Any = ()) -> Any:
    return create_application(module(providers=providers, imports=imports)(type("App", (), {})))


async def test_request_scope_goes_up_to_consumers_and_not_down_to_dependencies() -> None:
    async with an_app(Clock, Session, Repo, Service) as app:
        services = []
        for _ in range(2):
            async with app.request():
                services.append(await app.resolve(Service))
        first, second = services
        assert first is not second
        assert first.repo.session is not second.repo.session
        assert first.clock is first.repo.session.clock is second.clock is app.get(Clock)


async def test_request_scope_goes_up_across_modules_and_aliases() -> None:
    repo_module = module(providers=[Clock, Session, Repo], exports=[Repo, Clock])(type("RepoModule", (), {}))
    alias = provide("repo", use_existing=Repo)
    user = provide("user", use_factory=lambda repo: [repo], inject=["repo"])
    async with an_app(alias, user, imports=[repo_module]) as app:
        scopes = {provider.path[-1]: provider.scope for provider in app.discovery.providers()}
        assert [scopes[name] for name in ("Clock", "Repo", "'repo'", "'user'")] == [
            Scope.SINGLETON,
            Scope.REQUEST,
            Scope.REQUEST,
            Scope.REQUEST,
        ]


async def test_a_transient_is_shared_by_nobody_and_scoped_to_its_consumer() -> None:
    @injectable(scope=Scope.TRANSIENT)
    class Logger: ...

    class One:
        def __init__(self, logger: Logger) -> None:
            self.logger = logger

    class Other(One): ...

    async with an_app(Logger, One, Other) as app:
        assert app.get(One).logger is not app.get(Other).logger
        assert app.get(One).logger is app.get(One).logger


def test_a_global_module_shows_what_it_exports_and_keeps_the_rest() -> None:
    @module(providers=[Mail, Clock], exports=[Clock], is_global=True)
    class GlobalModule: ...

    class Client:
        def __init__(self, clock: Clock, mail: Mail) -> None: ...

    feature = module(providers=[Client])(type("Feature", (), {}))
    with pytest.raises(WiringError) as caught:
        an_app(imports=[GlobalModule, feature]).container.build()
    assert str(caught.value) == (
        "Can't resolve the dependencies of Client(clock, ?) in App > Feature: no provider for parameter `mail: Mail`.\n"
        "  Visible in Feature: Client, Clock\n"
        "  Hint: GlobalModule provides it; add GlobalModule to imports of Feature, and it to exports of GlobalModule."
    )


def test_a_module_does_not_hand_on_what_it_imports_unless_it_exports_it() -> None:
    mail_module = module(providers=[Mail], exports=[Mail])(type("MailModule", (), {}))
    between = module(imports=[mail_module])(type("Between", (), {}))
    with pytest.raises(WiringError, match="MailModule provides it; add MailModule to imports of App"):
        an_app(provide("used", use_existing=Mail), imports=[between]).container.build()


async def test_an_override_reaches_every_module_by_whichever_way_it_has_the_provider() -> None:
    mail_module = module(providers=[Mail], exports=[Mail], is_global=True)(type("MailModule", (), {}))
    handing_on = module(imports=[mail_module], exports=[mail_module])(type("HandingOn", (), {}))

    def feature(name: str, *imports: Any) -> Any:
        listed = [
            provide(f"{name}-direct", use_factory=lambda mail: mail, inject=[Mail]),
            provide(f"{name}-alias", use_existing=Mail),
            provide(f"{name}-lazy", use_factory=lambda mail: mail, inject=[Annotated[Lazy[Mail], Inject(Mail)]]),
        ]
        return module(imports=imports, providers=listed)(type(name.title(), (), {}))

    features = [feature("a", mail_module), feature("b", handing_on), feature("c")]
    app = an_app(imports=[mail_module, *features])
    app.container.mail.override("fake")
    async with app:
        for name in ("a", "b", "c"):
            got = app.get(f"{name}-direct"), app.get(f"{name}-alias"), app.get(f"{name}-lazy")()
            assert got == ("fake", "fake", "fake")


class Hen:
    def __init__(self, egg: "Egg") -> None: ...


class Egg:
    def __init__(self, hen: Hen) -> None: ...


class LazyEgg:
    def __init__(self, hen: "Lazy[LazyHen]") -> None:
        self.hen = hen


class LazyHen:
    def __init__(self, egg: LazyEgg) -> None:
        self.egg = egg


def test_constructors_that_need_each_other_across_modules_are_told_where_they_are() -> None:
    hens = module(imports=[ForwardRef(lambda: eggs)], providers=[Hen], exports=[Hen])(type("HenModule", (), {}))
    eggs = module(imports=[hens], providers=[Egg], exports=[Egg])(type("EggModule", (), {}))
    with pytest.raises(WiringError) as caught:
        an_app(imports=[hens])
    assert str(caught.value) == (
        "Circular dependency in App > HenModule > EggModule: Egg -> Hen -> Egg.\n"
        "  Hint: take Lazy[Hen] in Egg and call it when you need it."
    )


async def test_with_lazy_they_may_need_each_other_across_modules() -> None:
    hens = module(imports=[ForwardRef(lambda: eggs)], providers=[LazyHen], exports=[LazyHen])
    eggs: Any
    hen_module = hens(type("HenModule", (), {}))
    eggs = module(imports=[hen_module], providers=[LazyEgg], exports=[LazyEgg])(type("EggModule", (), {}))
    async with an_app(imports=[hen_module]) as app:
        hen = app.get(LazyHen)
        assert hen.egg.hen() is hen
