"""What stands for Redis in the process of a test: jobs, families, locks, and a connection that refuses the rest."""
