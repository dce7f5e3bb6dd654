"""Where two JSON values differ."""

from __future__ import annotations

from typing import Any

from tests.compat.comparison import Seen


def differences(one: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    """Path -> (here, there); empty where they are the same."""
    return Seen([one], {}).differences(Seen([other], {}))
