"""Pages of our own beside Bull Board's: served below `-/`, and in its place where it was not fetched."""

from app.board.pages.actions import PAGE_ACTIONS
from app.board.pages.live import Live
from app.board.pages.menu import PAGES, Page
from app.board.pages.routes import pages_app

__all__ = ["PAGES", "PAGE_ACTIONS", "Live", "Page", "pages_app"]
