"""An attempted action: the question that a policy answers."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

Action = Literal[
    "read",
    "add-job",
    "retry-job",
    "remove-job",
    "promote-job",
    "cancel-job",
    "update-data",
    "change-delay",
    "change-priority",
    "remove-children",
    "pause",
    "resume",
    "retry-all",
    "promote-all",
    "cancel-all",
    "clean",
    "empty",
    "obliterate",
    "set-concurrency",
    "set-rate-limit",
    "release-rate-limit",
    "run-scheduler",
    "update-scheduler",
    "remove-scheduler",
    "run-cron",
    "purge-history",
]
"""All but `read` change something: each is refused where the board is read-only, and leaves an audit event."""


@dataclass(frozen=True, slots=True)
class Access:
    """A caller's request to perform an action on a queue.

    Attributes:
        who: the name that `auth` gave; "local" where there is none.
        action: see Action.
        queue: its name on the board; None means the board as a whole.
        job: the id of a job or a job scheduler, where it is about one.
    """

    who: str
    action: Action
    queue: str | None = None
    job: str | None = None


Policy = Callable[[Access], bool | Awaitable[bool]]
"""Whether it is allowed, sync or async. Where `read` of a queue is not, that queue does not exist for the caller."""


async def is_allowed(policy: Policy | None, access: Access) -> bool:
    """Whether the policy permits an access; without a policy all is permitted, and only True permits."""
    if policy is None:
        return True
    answer = policy(access)
    return (await answer if inspect.isawaitable(answer) else answer) is True


def all_of(*policies: Policy | None) -> Policy | None:
    """A policy that allows what each of these does; None if there is none."""
    given = [policy for policy in policies if policy is not None]

    async def check(access: Access) -> bool:
        for policy in given:
            if not await is_allowed(policy, access):
                return False
        return True

    return check if given else None
