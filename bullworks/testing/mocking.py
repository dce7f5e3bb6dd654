"""What `use_mocker()` puts in the place of missing providers."""

from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock, create_autospec

from bullworks.bullmq import FlowProducer, Queue
from bullworks.core import AnyToken, label
from bullworks.limits import Limit
from bullworks.workers.tokens import FlowProducerToken, LimitToken, QueueToken

Mocker = Callable[[AnyToken], Any]
"""(token) -> what stands for it; None: it stays missing."""


def mock_of(token: AnyToken) -> Any:
    """Create an autospec of the token's class, of Queue, FlowProducer or Limit; for another token, a plain mock."""
    if isinstance(token, type):
        return create_autospec(token, instance=True)
    if isinstance(token, QueueToken):
        return create_autospec(Queue, instance=True)
    if isinstance(token, FlowProducerToken):
        return create_autospec(FlowProducer, instance=True)
    if isinstance(token, LimitToken):
        return create_autospec(Limit, instance=True)
    return MagicMock(name=label(token))
