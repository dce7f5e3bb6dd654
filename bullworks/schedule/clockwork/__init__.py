"""Waiting for the next run, and running callbacks."""
