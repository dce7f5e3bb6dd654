"""Options that a class of the module, or what another module provides, returns: `use_class` and `use_existing`."""

from typing import Any

import pytest

from bullworks.bullmq import InvalidOptionError
from bullworks.core import Token, WiringError, create_application, injectable, module, provide
from bullworks.schedule import ScheduleModule, ScheduleModuleOptions, SchedulerRegistry, cron, interval
from bullworks.workers import (
    BullModule,
    BullOptions,
    FlowProducerOptions,
    QueueOptions,
    get_flow_producer_token,
    get_queue_token,
)

NOWHERE = "redis://127.0.0.1:1/0"


class Config:
    url = NOWHERE


@injectable()
class BullConfig:
    """Nest's SharedBullConfigurationFactory, RegisterQueueOptionsFactory and so on in one."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def create_shared_configuration(self) -> BullOptions:
        return {"connection": {"url": self.config.url}, "prefix": "shared"}

    async def create_register_queue_options(self) -> QueueOptions:
        return {"default_job_options": {"attempts": 7}}

    def create_register_flow_producer_options(self) -> FlowProducerOptions:
        return {"prefix": "flows"}

    def create_schedule_options(self) -> ScheduleModuleOptions:
        return {"intervals": False}


CONFIG: Token[BullConfig] = Token("bull_config")


@module(providers=[Config, BullConfig, provide(CONFIG, use_existing=BullConfig)], exports=[Config, BullConfig, CONFIG])
class ConfigModule: ...


@pytest.mark.parametrize(
    "source", [{"use_class": BullConfig}, {"use_existing": BullConfig}, {"use_existing": CONFIG}], ids=str
)
async def test_options_come_from_a_class_of_one_s_own_or_of_another_module(source: Any) -> None:
    imports = [ConfigModule]
    root = BullModule.for_root_async(
        **source,
        imports=[
            *imports,
            BullModule.register_queue_async("email", **source, imports=imports),
            BullModule.register_queue_async("email", **source, imports=imports),
            BullModule.register_flow_producer_async(**source, imports=imports),
        ],
    )
    app = create_application(root)
    queue = await app.resolve(get_queue_token("email"))
    assert (queue.keys.prefix, queue.default_job_options) == ("shared", {"attempts": 7})
    assert queue.connection.endpoint.describe() == NOWHERE
    assert (await app.resolve(get_flow_producer_token())).prefix == "flows"


@pytest.mark.parametrize("source", [{"use_class": BullConfig}, {"use_existing": CONFIG}], ids=str)
async def test_a_schedule_has_its_options_from_there_too(source: Any) -> None:
    class Ticker:
        @cron("0 0 * * *", name="nightly")
        def nightly(self) -> None: ...

        @interval("often", 60_000)
        def often(self) -> None: ...

    @module(imports=[ScheduleModule.for_root_async(**source, imports=[ConfigModule])], providers=[Ticker])
    class App: ...

    async with create_application(App) as app:
        registry = app.get(SchedulerRegistry)
        assert (list(registry.get_cron_jobs()), registry.get_intervals()) == (["nightly"], [])


async def test_a_distributed_cron_waits_for_what_a_function_says_before_it_misses_redis() -> None:
    class Ticker:
        @cron("0 0 * * *", name="nightly", distributed=True)
        def nightly(self) -> None: ...

    def off() -> ScheduleModuleOptions:
        return {"cron_jobs": False}

    @module(imports=[ScheduleModule.for_root_async(use_factory=off)], providers=[Ticker])
    class Off: ...

    async with create_application(Off) as app:
        assert app.get(SchedulerRegistry).get_cron_jobs() == {}

    @module(imports=[ScheduleModule.for_root_async(use_factory=dict)], providers=[Ticker])
    class On: ...

    with pytest.raises(ExceptionGroup) as caught:
        await create_application(On)
    assert "nightly" in str(caught.value.exceptions[0])


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({}, "give exactly one of use_factory, use_class, use_existing; given: none"),
        (
            {"use_class": BullConfig, "use_existing": CONFIG},
            "give exactly one of use_factory, use_class, use_existing; given: use_class and use_existing",
        ),
        ({"use_class": Config}, r"Config has no create_\w+\(\); write `def create_\w+\(self\):` in it"),
        ({"use_existing": Config}, r"Config has no create_\w+\(\)"),
        ({"use_class": BullConfig, "inject": [Config]}, "inject= goes with use_factory= only"),
    ],
)
def test_what_gives_no_options_is_refused_at_once(source: Any, text: str) -> None:
    for register in (
        BullModule.for_root_async,
        lambda **given: BullModule.register_queue_async("email", **given),
        BullModule.register_flow_producer_async,
        ScheduleModule.for_root_async,
    ):
        with pytest.raises(TypeError, match=text):
            register(**source)


async def test_what_is_not_visible_is_an_error_at_the_start_with_its_path() -> None:
    queue = BullModule.register_queue_async("email", use_existing=BullConfig)
    root = BullModule.for_root(connection=NOWHERE, imports=[ConfigModule, queue])
    with pytest.raises(WiringError) as caught:
        await create_application(root)
    assert "in BullModule > BullModule > QueueModule(email): no provider" in str(caught.value)
    assert "Hint: ConfigModule provides it; add ConfigModule to imports of QueueModule(email)." in str(caught.value)


async def test_options_of_a_schedule_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InvalidOptionError, match=r"cronJobs: unknown option; did you mean cron_jobs\?"):
        await create_application(ScheduleModule.for_root_async(use_factory=lambda: {"cronJobs": False}))
