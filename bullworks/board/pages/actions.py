"""What buttons of our pages do beyond Bull Board's contract: below `-/api`, guarded, checked and audited as that is."""

from bullworks.board.api.call import Route, changing
from bullworks.board.pages import cancelling, cron_changes, failure_changes, steps

_FAILURES = "queues/:queue/failures/:group"

PAGE_ACTIONS: tuple[Route, ...] = (
    changing("PUT", f"{_FAILURES}/retry", "retry-all", failure_changes.retry_group),
    changing("PUT", f"{_FAILURES}/remove", "clean", failure_changes.remove_group),
    # before the next: no job has the id `active`
    changing("PUT", "queues/:queue/active/cancel", "cancel-all", cancelling.cancel_active),
    changing("PUT", "queues/:queue/:job/cancel", "cancel-job", cancelling.cancel_job),
    changing("PUT", "queues/:queue/:job/retry-from", "retry-job", steps.retry_from),
    changing("PUT", "crons/:cron/run", "run-cron", cron_changes.run_cron),
)
"""Paths start over below `-/api`. What the contract has, such as retrying one job, pages ask of the contract."""
