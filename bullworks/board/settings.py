"""Who may see and change the board, from the environment."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from bullworks.board.options import checked_public_url
from bullworks.board.security.client_address import networks_of
from bullworks.board.security.roles import role_policy
from bullworks.settings import Listed, LowerCase, Settings


def pairs_of(entries: Iterable[str]) -> dict[str, str]:
    """Split entries as in `name:value` at their first colon.

    Raises:
        ValueError: one has no name or no value.
    """
    pairs = {}
    for entry in entries:
        name, _, value = (part.strip() for part in entry.partition(":"))
        if not name or not value:
            raise ValueError("each entry is a name, a colon and a value")
        pairs[name] = value
    return pairs


def users_of(users: SecretStr) -> dict[str, str]:
    """The passwords of BOARD_USERS by name."""
    return pairs_of(entry for entry in users.get_secret_value().split(",") if entry.strip())


def _users(users: SecretStr) -> SecretStr:
    users_of(users)
    return users


def _roles(roles: tuple[str, ...]) -> tuple[str, ...]:
    role_policy(pairs_of(roles))
    return roles


def _networks(proxies: tuple[str, ...]) -> tuple[str, ...]:
    networks_of(proxies)
    return proxies


class BoardSettings(Settings):
    """Settings of the board at /admin/queues: who may read and change."""

    app_env: Annotated[Literal["development", "test", "staging", "production"], LowerCase] = Field(
        default="development", description="development, test, staging or production"
    )
    board_enabled: bool = Field(default=True, description="true, or false: the board is not served")
    board_path: str = Field(default="/admin/queues", description="a path, as in /admin/queues")
    board_title: str = Field(default="Bullworks", description="the title at the top of its pages")
    board_user: str = Field(default="admin", description="the user name for BOARD_PASSWORD")
    board_password: SecretStr | None = Field(
        default=None, description="the password for browsers; unset: no Basic auth"
    )
    board_token: SecretStr | None = Field(
        default=None, description="the token that programs send as Authorization: Bearer"
    )
    board_users: Annotated[SecretStr, AfterValidator(_users)] | None = Field(
        default=None, description="more users and their passwords, as in ada:secret,bo:secret2"
    )
    board_roles: Annotated[Listed, AfterValidator(_roles)] = Field(
        default=(), description="read, operate or admin by name, as in ada:admin,token:operate,*:read; unset: all admin"
    )
    board_public_url: Annotated[str, AfterValidator(checked_public_url)] | None = Field(
        default=None, description="where browsers reach the board behind a proxy, as in https://ops.example.com/queues"
    )
    board_trusted_proxies: Annotated[Listed, AfterValidator(_networks)] = Field(
        default=(), description="addresses or networks whose X-Forwarded-For is believed, as in 10.0.0.0/8"
    )
    board_secret: SecretStr | None = Field(
        default=None,
        description="signs the pages' tokens, the same in all processes with the board; unset: random",
    )
    board_read_only: bool = Field(default=False, description="true, or false: jobs and queues can be changed")
    board_allowed_hosts: Listed = Field(
        default=(), description="host names with commas between them, as in board.example.com; * for any text"
    )
    board_hidden_queues: Listed = Field(
        default=(), description="names of queues with commas between them, as in internal-*"
    )
