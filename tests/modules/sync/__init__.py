"""The guide's SyncWorker."""
