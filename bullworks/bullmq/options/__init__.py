"""The options of jobs, flows and job schedulers, checked."""
