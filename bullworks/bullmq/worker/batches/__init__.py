"""Handlers that are called with many jobs: how jobs come together, and how each gets an outcome of its own."""
