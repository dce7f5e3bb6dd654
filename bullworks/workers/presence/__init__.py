"""Who works on a queue: our workers say so in Redis every few seconds, and the board reads it."""

from bullworks.workers.presence.heartbeat import HeartbeatSender
from bullworks.workers.presence.module import PresenceModule
from bullworks.workers.presence.records import WorkerRecord
from bullworks.workers.presence.scripts import PresentWorkers, read_present

__all__ = ["HeartbeatSender", "PresenceModule", "PresentWorkers", "WorkerRecord", "read_present"]
