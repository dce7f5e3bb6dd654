"""Queues and jobs in Redis, in BullMQ's own layout: usable alone, with no container and no settings."""

from bullworks.facade import lazy_names

__getattr__, __dir__ = lazy_names(__name__, __file__)
