"""Bull Board's own page: fetching it, and serving it."""

from bullworks.board.ui.page import BoardUi, StaticFile

__all__ = ["BoardUi", "StaticFile"]
