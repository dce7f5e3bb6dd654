"""Queues and jobs for programs without an event loop."""
