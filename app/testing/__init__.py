"""Testing modules and processors: with mocks, with no Redis, or on a real server of the test's own."""

from app.testing.errors import (
    HarnessSetupError,
    NotSimulatedError,
    RunawayError,
    TestingError,
    UnknownOverrideError,
)
from app.testing.eventually import eventually
from app.testing.harness import QueueHarness
from app.testing.mocking import mock_of
from app.testing.recorded_event import RecordedEvent
from app.testing.test import ModuleOverride, ProviderOverride, Test, TestingModuleBuilder
from app.testing.testing_module import TestingModule

__all__ = [
    "HarnessSetupError",
    "ModuleOverride",
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
    "eventually",
    "mock_of",
]
