"""Pages of our own beside Bull Board's: served below `-/`, and in its place where it was not fetched."""

from bullworks.board.pages.actions import PAGE_ACTIONS
from bullworks.board.pages.live import Live
from bullworks.board.pages.menu import PAGES, Page
from bullworks.board.pages.routes import pages_app, problem_page

__all__ = ["PAGES", "PAGE_ACTIONS", "Live", "Page", "pages_app", "problem_page"]
