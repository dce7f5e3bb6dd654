"""The embedded server: Valkey or Redis for a machine on which none was set up."""

from bullworks.facade import lazy_names

__getattr__, __dir__ = lazy_names(__name__, __file__)
