"""A job: what it is, how it changes, how its attempts end."""
