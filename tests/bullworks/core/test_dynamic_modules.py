"""Dynamic modules: containers made by for_root() and its like."""

from typing import Any

from bullworks.core import ModuleContainer, create_application, dynamic_module, module, provide


class Client:
    pass


class ConfigModule:
    @classmethod
    def for_root(cls, value: Any, **options: Any) -> ModuleContainer:
        return dynamic_module(cls, providers=[provide("config", use_value=value)], exports=["config"], **options)


class Reader:
    def __init__(self, config: Any) -> None:
        self.config = config


def reading(*imports: Any, **options: Any) -> type[Any]:
    reader = provide(Reader, use_factory=Reader, inject=["config"])
    return module(imports=imports, providers=[reader], **options)(type("ReaderModule", (), {}))


async def test_each_call_makes_a_module_of_its_own() -> None:
    first = module(imports=[ConfigModule.for_root(1)], providers=[provide("a", use_existing="config")])
    second = module(imports=[ConfigModule.for_root(2)], providers=[provide("b", use_existing="config")])
    imports = [first(type("First", (), {})), second(type("Second", (), {}))]
    async with create_application(module(imports=imports)(type("App", (), {}))) as app:
        assert (app.get("a"), app.get("b")) == (1, 2)


async def test_one_container_in_several_imports_is_one_module() -> None:
    shared = dynamic_module(ConfigModule, providers=[Client], exports=[Client])
    first = module(imports=[shared], providers=[provide("a", use_existing=Client)])(type("First", (), {}))
    second = module(imports=[shared], providers=[provide("b", use_existing=Client)])(type("Second", (), {}))
    async with create_application(module(imports=[first, second])(type("App", (), {}))) as app:
        assert app.get("a") is app.get("b")


async def test_modules_of_one_key_are_one_module() -> None:
    async with create_application(
        module(
            imports=[ConfigModule.for_root([], key="config"), reading(ConfigModule.for_root([], key="config"))],
            providers=[provide("mine", use_existing="config")],
        )(type("App", (), {}))
    ) as app:
        assert app.get("mine") is app.get(Reader).config


async def test_every_application_gets_a_copy() -> None:
    shared = dynamic_module(ConfigModule, providers=[Client], exports=[Client])
    app_class = module(imports=[shared])(type("App", (), {}))
    async with create_application(app_class) as first, create_application(app_class) as second:
        assert first.get(Client) is not second.get(Client)
        assert first.get(Client) is not shared.get(Client)


async def test_what_the_module_decorator_says_is_added_to() -> None:
    @module(providers=[Client], exports=[Client])
    class Both:
        @classmethod
        def for_root(cls) -> ModuleContainer:
            return dynamic_module(cls, providers=[provide("config", use_value=1)], exports=["config"])

    async with create_application(reading(Both.for_root())) as app:
        assert app.get(Reader).config == 1
        assert isinstance(app.get(Client), Client)


async def test_a_global_one_is_seen_by_all() -> None:
    app_class = module(imports=[reading(), ConfigModule.for_root(3, is_global=True)])(type("App", (), {}))
    async with create_application(app_class) as app:
        assert app.get(Reader).config == 3


async def test_it_is_handed_on_by_its_class_and_by_itself() -> None:
    for_root = ConfigModule.for_root(4)
    by_class = module(imports=[for_root], exports=[ConfigModule])(type("ByClass", (), {}))
    by_itself = module(imports=[for_root], exports=[for_root])(type("ByItself", (), {}))
    for exporter in (by_class, by_itself):
        async with create_application(reading(exporter)) as app:
            assert app.get(Reader).config == 4


async def test_its_name_can_be_chosen() -> None:
    app_class = module(imports=[ConfigModule.for_root(5, name="OtherModule")])(type("App", (), {}))
    async with create_application(app_class) as app:
        assert app.container.other_module.config() == 5


async def test_create_application_runs_the_container_itself() -> None:
    container = ConfigModule.for_root(6)
    async with create_application(container) as app:
        assert app.container is container
