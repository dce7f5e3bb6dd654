"""What a handler raises to say that its job is elsewhere, or shall be: no attempt is spent, and no failure told.

Source: the errors of the same names in BullMQ 6.7.
"""


class MovedError(Exception):
    """Base of those that say: I have moved the job myself, so there is nothing to store."""


class DelayedError(MovedError):
    """Raised after `await job.move_to_delayed(timestamp)`."""


class WaitingError(MovedError):
    """Raised after `await job.move_to_wait()`."""


class WaitingChildrenError(MovedError):
    """Raised after `await job.move_to_waiting_children()` has answered True."""


class RateLimitError(Exception):
    """Raised after `await worker.rate_limit(ms)`: the job returns to the head of its line until the limit is over."""
