"""A queue's counts in Prometheus' text format. Source of the names: npm bullmq 6.7, exportPrometheusMetrics."""

from collections.abc import Mapping


def exposition(
    queue: str, counts: Mapping[str, int], completed: int, failed: int, labels: Mapping[str, str | int]
) -> str:
    """One gauge per state, and a counter each of completed and of failed jobs.

    Args:
        labels: of every line; they come after `queue` and `state`.
    """
    lines = [
        "# HELP bullmq_job_count Number of jobs in the queue by state",
        "# TYPE bullmq_job_count gauge",
        *(_line("bullmq_job_count", {"queue": queue, "state": state, **labels}, n) for state, n in counts.items()),
    ]
    for kind, total in (("completed", completed), ("failed", failed)):
        lines += (
            f"# HELP bullmq_job_{kind}_total Total number of {kind} jobs",
            f"# TYPE bullmq_job_{kind}_total counter",
            _line(f"bullmq_job_{kind}_total", {"queue": queue, **labels}, total),
        )
    return "\n".join(lines)


def _line(name: str, labels: Mapping[str, str | int], value: int) -> str:
    shown = ", ".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
    return f"{name}{{{shown}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
