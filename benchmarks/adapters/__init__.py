"""One program per peer; each speaks `protocol.py` with the runner."""
