"""Roles: who may only read, who may operate queues, and who may do everything."""

from collections.abc import Mapping
from typing import Literal, get_args

from bullworks.board.security.access import Access, Action, Policy

Role = Literal["read", "operate", "admin"]
"""read: looking only. operate: what can be undone or repeated, such as retries and pauses. admin: everything."""

ANYONE = "*"
"""Stands for everybody whom no other entry names."""

_OPERATING: frozenset[Action] = frozenset(
    {"read", "add-job", "retry-job", "promote-job", "cancel-job", "change-delay", "change-priority", "pause", "resume",
     "retry-all", "promote-all", "cancel-all", "set-concurrency", "set-rate-limit", "release-rate-limit",
     "run-scheduler", "run-cron"}
)  # fmt: skip


def role_policy(roles: Mapping[str, str]) -> Policy:
    """A policy by roles: who has none, and is not covered by `*`, may do nothing.

    Args:
        roles: a Role by the name that `auth` gives.

    Raises:
        ValueError: a role is another word.
    """
    for name, role in roles.items():
        if role not in get_args(Role):
            raise ValueError(f"the role of {name!r} must be one of {', '.join(get_args(Role))}, not {role!r}")

    def check(access: Access) -> bool:
        return _permits(roles.get(access.who, roles.get(ANYONE)), access.action)

    return check


def _permits(role: str | None, action: Action) -> bool:
    if role == "admin":
        return True
    return action in _OPERATING if role == "operate" else role == "read" and action == "read"
