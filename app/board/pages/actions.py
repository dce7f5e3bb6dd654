"""What buttons of our pages do beyond Bull Board's contract: below `-/api`, guarded, checked and audited as that is."""

from app.board.api.call import Route

PAGE_ACTIONS: tuple[Route, ...] = ()
"""Paths begin anew below `-/api`. What the contract has, such as retrying one job, pages ask of the contract."""
