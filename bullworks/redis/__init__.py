"""Connections to Redis or Valkey: endpoints, errors and the embedded server."""

from bullworks.facade import lazy_names

__getattr__, __dir__ = lazy_names(__name__, __file__)
