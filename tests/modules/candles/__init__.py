"""Prices folded into candles."""
