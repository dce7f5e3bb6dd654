"""The audit trail: who changed what, newest first."""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bullworks.board.audit import AuditEvent
from bullworks.board.board import Board
from bullworks.board.pages.rendering import render

PAGE_EVENTS = 50
_READ_AT_ONCE = 200
# Of events that the caller may not read, no more are skipped for a page: it is shorter then, and has a next one.
_MOST_READS = 5
_EVENT_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")
_OF_A_JOB = frozenset(
    {"add-job", "retry-job", "remove-job", "promote-job", "cancel-job", "update-data", "change-delay",
     "change-priority", "remove-children"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An audit event with the links to its queue and job.

    Attributes:
        has_queue, has_job: whether there is a page to lead to.
    """

    event: AuditEvent
    has_queue: bool
    has_job: bool


async def audit(request: Request) -> Response:
    """Render the audit events that the caller may read, older than the one that `before` names."""
    given = request.query_params.get("before", "")
    before = given if _EVENT_ID.fullmatch(given) else None
    events, next_before = await _page(request.state.board, request.state.who, before)
    return render(request, "audit.html", events=events, before=before, next_before=next_before)


async def _page(board: Board, who: str, before: str | None) -> tuple[list[ShownEvent], str | None]:
    """The events of a page, and what comes before the next one; None means there is no other."""
    visible = {entry.shown_name for entry in await board.visible_queues(who)}
    sees_all = await board.sees_all(who)
    shown: list[ShownEvent] = []
    for _ in range(_MOST_READS):
        events = await board.audit.latest(_READ_AT_ONCE, before=before)
        for event in events:
            before = event.id
            # of a queue that is not there any more, or of all of them, it is unknown whether it is hidden
            if event.queue not in visible and not sees_all and not (event.queue is None and event.who == who):
                continue
            has_queue = event.queue in visible
            shown.append(ShownEvent(event, has_queue, has_queue and bool(event.job) and event.action in _OF_A_JOB))
            if len(shown) == PAGE_EVENTS:
                return shown, before
        if len(events) < _READ_AT_ONCE:
            return shown, None
    return shown, before
