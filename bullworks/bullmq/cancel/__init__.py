"""Cancelling jobs from anywhere: what is asked, and how the worker that runs a job hears of it."""
