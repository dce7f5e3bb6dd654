"""Bull Board over our queues, and pages of our own beside it: an ASGI app, at /admin/queues."""
