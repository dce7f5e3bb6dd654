from bullworks.redis.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer"]
