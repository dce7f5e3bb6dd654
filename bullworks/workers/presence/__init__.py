"""Who works on a queue: our workers say so in Redis every few seconds, and the board reads it."""

from bullworks.workers.presence.heart import Heart
from bullworks.workers.presence.module import PresenceModule
from bullworks.workers.presence.records import WorkerRecord
from bullworks.workers.presence.scripts import Present, read_present

__all__ = ["Heart", "PresenceModule", "Present", "WorkerRecord", "read_present"]
