"""Bullworks: NestJS-shaped background workers for Python, on BullMQ's own Redis layout."""

from bullworks.elsewhere import without_foreign_names

__version__ = "0.1.0"

without_foreign_names(__name__)
