"""Prices: where they come from, where they are kept, and the crons."""
