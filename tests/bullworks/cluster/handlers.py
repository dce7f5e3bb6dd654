"""Handlers that run in processes."""

from __future__ import annotations

from bullworks.bullmq import SyncJob


def double(job: SyncJob) -> int:
    """Twice the job's number, noted in its log on the way."""
    job.log("doubling")
    return int(job.data["n"]) * 2
