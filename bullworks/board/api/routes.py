"""All routes of the contract, in its order."""

from bullworks.board.api import flows, history, job_changes, jobs, limits, overview, queue_changes, schedulers
from bullworks.board.api.call import Route, changing, reading

_JOB = "queues/:queue/:job"
_SCHEDULER = "queues/:queue/job-schedulers/:scheduler"

READING = (
    reading("redis/stats", overview.redis_stats),
    reading("queues", overview.queues),
    reading("job-schedulers", schedulers.all_schedulers),
    reading("queues/:queue/metrics", overview.metrics),
    reading("queues/:queue/default-job-options", overview.default_job_options),
    reading("queues/:queue/workers", overview.workers),
    reading("queues/:queue/rate-limit", limits.rate_limit),
    reading("queues/:queue/job-data-schema", overview.job_data_schema),
    reading(f"{_JOB}/logs", jobs.logs),
    reading(f"{_JOB}/flow", flows.flow),
    reading(_JOB, jobs.job),
)
CHANGING = (
    changing("PUT", "queues/pause", "pause", queue_changes.pause_all),
    changing("PUT", "queues/resume", "resume", queue_changes.resume_all),
    changing("POST", "queues/:queue/add", "add-job", job_changes.add),
    changing("PUT", "queues/:queue/retry/:status", "retry-all", queue_changes.retry_all),
    changing("PUT", "queues/:queue/promote", "promote-all", queue_changes.promote_all),
    changing("PUT", "queues/:queue/clean/:status", "clean", queue_changes.clean),
    changing("PUT", "queues/:queue/pause", "pause", queue_changes.pause),
    changing("PUT", "queues/:queue/resume", "resume", queue_changes.resume),
    changing("PUT", "queues/:queue/concurrency", "set-concurrency", limits.set_concurrency),
    changing("PUT", "queues/:queue/rate-limit", "set-rate-limit", limits.set_rate_limit),
    changing("PUT", "queues/:queue/rate-limit/release", "release-rate-limit", limits.release_rate_limit),
    changing("PUT", "queues/:queue/empty", "empty", queue_changes.empty),
    changing("PUT", "queues/:queue/obliterate", "obliterate", queue_changes.obliterate),
    changing("PUT", f"{_SCHEDULER}/remove", "remove-scheduler", schedulers.remove),
    changing("PATCH", _SCHEDULER, "update-scheduler", schedulers.update),
    changing("PUT", f"{_SCHEDULER}/run", "run-scheduler", schedulers.run),
    changing("PUT", f"{_JOB}/retry", "retry-job", job_changes.retry),
    changing("PUT", f"{_JOB}/clean", "remove-job", job_changes.clean),
    changing("PUT", f"{_JOB}/promote", "promote-job", job_changes.promote),
    changing("PATCH", f"{_JOB}/update-data", "update-data", job_changes.update_data),
    changing("PATCH", f"{_JOB}/delay", "change-delay", job_changes.change_delay),
    changing("PATCH", f"{_JOB}/priority", "change-priority", job_changes.change_priority),
    changing("PUT", f"{_JOB}/remove-unprocessed-children", "remove-children", job_changes.remove_unprocessed_children),
)
HISTORY = (
    reading("metrics/history", history.series),
    reading("metrics/history/usage", history.usage),
    changing("POST", "metrics/history/purge", "purge-history", history.purge),
    reading("metrics/latency", history.latency),
)
ROUTES: tuple[Route, ...] = (*READING, *CHANGING, *HISTORY)
