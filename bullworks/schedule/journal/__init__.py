"""Claims, runs and misses of crons, kept in Redis."""
