"""A page of a job's log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobLogs:
    """What `get_job_logs` answers.

    Attributes:
        logs: the lines of the page.
        count: how many lines there are in all.
    """

    logs: list[str]
    count: int
