"""Who may see and change the board, from the environment."""

from pydantic import Field, SecretStr

from bullworks.settings import Listed, Settings


class BoardSettings(Settings):
    """Settings of the board at /admin/queues: who may read and change."""

    board_enabled: bool = Field(default=True, description="true, or false: the board is not served")
    board_path: str = Field(default="/admin/queues", description="a path, as in /admin/queues")
    board_title: str = Field(default="Bullworks", description="what stands at the top of its pages")
    board_user: str = Field(default="admin", description="the name that goes with BOARD_PASSWORD")
    board_password: SecretStr | None = Field(default=None, description="unset: browsers are not asked to log in")
    board_token: SecretStr | None = Field(default=None, description="what programs send as Authorization: Bearer")
    board_read_only: bool = Field(default=False, description="true, or false: jobs and queues can be changed")
    board_allowed_hosts: Listed = Field(
        default=(), description="host names with commas between them, as in board.example.com; * for any text"
    )
    board_hidden_queues: Listed = Field(
        default=(), description="names of queues with commas between them, as in internal-*"
    )
