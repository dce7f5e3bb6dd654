"""Guards, interceptors, pipes and exception filters, around the handlers of jobs and around what adds jobs."""

from bullworks.workers.enhancers.contexts import AddContext, CallHandler, JobContext
from bullworks.workers.enhancers.decorators import catch, use_filters, use_guards, use_interceptors, use_pipes
from bullworks.workers.enhancers.errors import (
    EnhancerAnswerError,
    EnhancerClassError,
    EnhancerPlaceError,
    GuardRefusedError,
)
from bullworks.workers.enhancers.kinds import APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE
from bullworks.workers.enhancers.verdicts import Complete, Delay, RateLimit

__all__ = [
    "APP_FILTER",
    "APP_GUARD",
    "APP_INTERCEPTOR",
    "APP_PIPE",
    "AddContext",
    "CallHandler",
    "Complete",
    "Delay",
    "EnhancerAnswerError",
    "EnhancerClassError",
    "EnhancerPlaceError",
    "GuardRefusedError",
    "JobContext",
    "RateLimit",
    "catch",
    "use_filters",
    "use_guards",
    "use_interceptors",
    "use_pipes",
]
