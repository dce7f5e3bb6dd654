"""Handlers in processes of their own, for work that needs the CPU: what BullMQ calls sandboxed processors."""
