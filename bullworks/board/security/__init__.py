"""Who may ask the board what: hosts, logins, forged requests, policy."""

from bullworks.board.security.access import Access, Action, Policy
from bullworks.board.security.guard import Guard
from bullworks.board.security.roles import Role, role_policy
from bullworks.web import Auth, Identity, any_auth, basic_auth, bearer_auth

__all__ = [
    "Access",
    "Action",
    "Auth",
    "Guard",
    "Identity",
    "Policy",
    "Role",
    "any_auth",
    "basic_auth",
    "bearer_auth",
    "role_policy",
]
