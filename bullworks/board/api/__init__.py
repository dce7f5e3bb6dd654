"""The server half of Bull Board's contract, 9.10.2: what its page asks under api/."""

from bullworks.board.api.api import Api

__all__ = ["Api"]
