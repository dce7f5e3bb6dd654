"""A queue: adding jobs, looking at them, managing all of them."""
