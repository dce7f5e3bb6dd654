"""What each example of a page must do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Check = Callable[..., Awaitable[None]]


class Checks:
    """By the example's name; a check gets a Stage and, if it likes, the captured log."""

    def __init__(self) -> None:
        self.by_name: dict[str, Check] = {}

    def __call__(self, name: str) -> Callable[[Check], Check]:
        def register(check: Check) -> Check:
            self.by_name[name] = check
            return check

        return register
