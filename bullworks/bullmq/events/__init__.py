"""The event stream of a queue, and callers that wait for what it says."""
