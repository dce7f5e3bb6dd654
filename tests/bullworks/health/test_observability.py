"""The dashboard and the alerts name metrics that exist, with labels that they have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bullworks.health.exposition import format_metrics
from bullworks.health.reading import CronReading, FleetReading, QueueReading, Reading, WorkerReading
from bullworks.workers.history import Tally

KIT = Path(__file__).parents[3] / "deploy/observability"
NAME = re.compile(r"\b((?:bullworks|process)_\w+)(?:\{([^}]*)\})?")
LABELS_OF_PROMETHEUS = {"instance", "job"}


def known() -> dict[str, set[str]]:
    """All that /metrics may tell: labels by name."""
    queue = QueueReading(
        name="email",
        counts={"waiting": 1},
        oldest_ms=1,
        ever=Tally(),
        is_paused=False,
        concurrency=1,
        rate_limit_ttl_ms=0,
    )
    cron = CronReading(name="nightly", last_run_ms=1, last_success_ms=1, misses=0)
    reading = Reading(
        fleet=FleetReading(queues=[queue], crons=[cron]), is_redis_up=True, process={"email": WorkerReading()}
    )
    text, _ = format_metrics(reading, 1, "")
    families = text_string_to_metric_families(text.decode())
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def alerts() -> dict[str, str]:
    rules = yaml.safe_load((KIT / "alerts.yaml").read_text())["groups"][0]["rules"]
    return {rule["alert"]: rule["expr"] for rule in rules}


def panels() -> dict[str, str]:
    board = json.loads((KIT / "dashboard.json").read_text())
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in board["panels"]
        for target in panel["targets"]
    }


@pytest.mark.parametrize("expressions", [alerts, panels])
def test_they_read_what_is_told(expressions: object) -> None:
    told = known()
    assert callable(expressions)
    for title, expression in expressions().items():
        found = NAME.findall(expression)
        assert found, title
        for name, matchers in found:
            assert name in told, f"{title}: {name}"
            assert set(re.findall(r"(\w+)=", matchers)) <= told[name], f"{title}: {name}"
        labels = {name for _, names in re.findall(r"\b(by|on) \(([^)]*)\)", expression) for name in names.split(", ")}
        assert labels <= set().union(*(told[name] for name, _ in found)) | LABELS_OF_PROMETHEUS, title


def test_an_alert_says_what_happened_and_what_to_do() -> None:
    rules = yaml.safe_load((KIT / "alerts.yaml").read_text())["groups"][0]["rules"]
    for rule in rules:
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
