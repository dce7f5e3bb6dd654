"""Bullworks: NestJS-shaped background workers for Python, on BullMQ's own Redis layout."""

__version__ = "0.1.0"
