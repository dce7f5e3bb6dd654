"""Connections, errors and the embedded server."""
