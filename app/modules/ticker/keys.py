"""The names of this feature's keys in Redis; nothing else spells one."""

LAST = "bullworks:ticker:last"
"""hash: symbol -> JSON of its last price and when that was."""
