"""Distributed locks: what they promise, on a real server."""
