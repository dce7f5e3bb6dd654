"""Keeps a testing module from every server that its test did not name."""
