"""The reference of metrics: what `/metrics` answers, from the code that writes it."""

from prometheus_client.parser import text_string_to_metric_families

from bullworks.health.exposition import format_metrics
from bullworks.health.reading import CronReading, FleetReading, QueueReading, Reading, WorkerReading
from bullworks.workers.history import Tally
from docs.hooks.markdown import table

# One of each, so that every metric has a sample to read its labels from.
_QUEUE = QueueReading(
    name="orders", counts={"waiting": 1}, oldest_ms=1, ever=Tally(), is_paused=False, concurrency=1, rate_limit_ttl_ms=0
)
_CRON = CronReading(name="report", last_run_ms=1, last_success_ms=1, misses=0)
_READING = Reading(
    fleet=FleetReading(queues=[_QUEUE], crons=[_CRON]), is_redis_up=True, process={"orders": WorkerReading()}
)


def metric_page() -> str:
    """Write the page of all metrics that are ours."""
    text = format_metrics(_READING, 1, "text/plain")[0].decode()
    rows = [
        (
            f"`{family.name}{'_total' if family.type == 'counter' else ''}`",
            family.type,
            ", ".join(sorted({label for sample in family.samples for label in sample.labels} - {"le", "version"})),
            family.documentation,
        )
        for family in text_string_to_metric_families(text)
        if family.name.startswith("bullworks_")
    ]
    return "\n\n".join(
        [
            "# Metrics",
            (
                "Made from the code. Those of a process begin with `bullworks_process_`; all others are the fleet's"
                " and lie in Redis, so every process tells the same. How to read them, and who may: "
                "[Workers](../workers.md#metrics)."
            ),
            table(("Metric", "Type", "By", "Means"), rows),
        ]
    )
