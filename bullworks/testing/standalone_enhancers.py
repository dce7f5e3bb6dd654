"""StandaloneEnhancers: those of a host that a harness was given with no modules around it."""

from typing import Any

from bullworks.core import DiscoveredProvider
from bullworks.testing.errors import HarnessSetupError
from bullworks.workers.enhancers.placing import Placed, class_places, method_places


class StandaloneEnhancers:
    """Builds the enhancers that a processor's decorators name; their constructors take nothing.

    Args:
        cls: the processor's class.
        queue: for errors.
    """

    def __init__(self, cls: type[Any], queue: str) -> None:
        self._cls = cls
        self._queue = queue
        self._made: dict[type[Any], Any] = {}

    def places(self, method: str) -> list[Placed]:
        """The enhancers around a method.

        Raises:
            HarnessSetupError: one of them cannot be built without modules.
        """
        found = [*class_places(self._cls, _no_companion), *method_places(self._cls, method, _no_companion)]
        return [Placed(each.kind, each.name, self._object(each.made), None) for each in found]

    def _object(self, given: Any) -> Any:
        if not isinstance(given, type):
            return given
        if given not in self._made:
            try:
                self._made[given] = given()
            except TypeError as error:
                problem = f"cannot build {given.__name__} of {self._cls.__name__}: {error}; use it in a testing module"
                raise HarnessSetupError(self._queue, problem) from error
        return self._made[given]


def _no_companion(_: type[Any]) -> DiscoveredProvider | None:
    return None
