"""DistributedLockService: locks that all processes of this service share.

It is the framework's own. A policy of this service, such as a prefix or a time to live for every lock, would be a
subclass here.
"""

from bullworks.locks import DistributedLockService

__all__ = ["DistributedLockService"]
