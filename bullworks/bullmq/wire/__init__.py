"""JSON and BullMQ's own field names: the only place that spells them."""
