"""Testing modules and processors: with mocks, with no Redis, or on a real server of the test's own."""

from bullworks.testing.errors import (
    HarnessSetupError,
    NoHarnessError,
    NotSimulatedError,
    RunawayError,
    TestingError,
    UnknownOverrideError,
    UnnamedServerError,
)
from bullworks.testing.eventually import eventually
from bullworks.testing.harness import QueueHarness
from bullworks.testing.harness_flow_producer import HarnessFlowProducer
from bullworks.testing.harness_group import HarnessGroup
from bullworks.testing.memory.limits import MemoryLimit
from bullworks.testing.memory.locks import MemoryLocks
from bullworks.testing.mocking import mock_of
from bullworks.testing.recorded_event import RecordedEvent
from bullworks.testing.test import ModuleOverride, ProviderOverride, Test, TestingModuleBuilder
from bullworks.testing.testing_module import TestingModule

__all__ = [
    "HarnessFlowProducer",
    "HarnessGroup",
    "HarnessSetupError",
    "MemoryLimit",
    "MemoryLocks",
    "ModuleOverride",
    "NoHarnessError",
    "NotSimulatedError",
    "ProviderOverride",
    "QueueHarness",
    "RecordedEvent",
    "RunawayError",
    "Test",
    "TestingError",
    "TestingModule",
    "TestingModuleBuilder",
    "UnknownOverrideError",
    "UnnamedServerError",
    "eventually",
    "mock_of",
]
