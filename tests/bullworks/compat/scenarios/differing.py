"""All that ours does otherwise than npm bullmq on purpose; docs/bullmq-parity.md lists the same."""

from __future__ import annotations

from tests.bullworks.compat.scenarios import differing_families, differing_jobs, differing_schedulers
from tests.bullworks.compat.scenarios.difference import Difference

DIFFERENCES: dict[str, Difference] = {
    **differing_jobs.DIFFERENCES,
    **differing_families.DIFFERENCES,
    **differing_schedulers.DIFFERENCES,
}
