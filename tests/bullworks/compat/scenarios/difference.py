"""Difference: one thing that ours does otherwise than npm bullmq, on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.bullworks.compat.player import Step


@dataclass(frozen=True, slots=True)
class Difference:
    """What is done, why, and exactly how it shows.

    Attributes:
        why: as the parity page has it.
        shows: path -> (npm bullmq's, ours), of lists of different lengths what only one has; `...` for anything.
    """

    why: str
    steps: list[Step]
    shows: dict[str, tuple[Any, Any]]
