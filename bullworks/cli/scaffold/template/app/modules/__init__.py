"""What this service does: one folder a feature."""
