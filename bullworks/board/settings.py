"""Who may see and change the board, from the environment."""

from pydantic import Field, SecretStr

from bullworks.settings import Listed, Settings


class BoardSettings(Settings):
    """Settings of the board at /admin/queues: who may read and change."""

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
    board_read_only: bool = Field(default=False, description="true, or false: jobs and queues can be changed")
    board_allowed_hosts: Listed = Field(
        default=(), description="host names with commas between them, as in board.example.com; * for any text"
    )
    board_hidden_queues: Listed = Field(
        default=(), description="names of queues with commas between them, as in internal-*"
    )
