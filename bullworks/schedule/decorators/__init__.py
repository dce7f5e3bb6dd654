"""The decorators of schedules, and their options."""
