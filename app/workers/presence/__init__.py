"""Who works on a queue: our workers say so in Redis every few seconds, and the board reads it."""

from app.workers.presence.heart import Heart
from app.workers.presence.module import PresenceModule
from app.workers.presence.records import WorkerRecord
from app.workers.presence.scripts import Present, read_present

__all__ = ["Heart", "PresenceModule", "Present", "WorkerRecord", "read_present"]
