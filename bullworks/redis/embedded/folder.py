"""The data folder of one embedded server: what lies in it, and whether it can be used at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bullworks.redis.errors import EmbeddedServerError

_PRIVATE_MODE = 0o700


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths in a data folder; the server's own files are beside them."""

    path: Path

    @classmethod
    def prepare(cls, data_dir: str | os.PathLike[str]) -> DataFolder:
        """Create the folder if need be, readable by this user only.

        Raises:
            EmbeddedServerError: it cannot be made, or this user may not write in it.
        """
        path = Path(data_dir).expanduser().absolute()
        try:
            path.mkdir(mode=_PRIVATE_MODE, parents=True, exist_ok=True)
        except OSError as error:
            reason = f"the folder cannot be made ({error.strerror})"
            raise EmbeddedServerError(str(path), reason, "Choose another data folder.") from error
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            reason = "this user may not read and write the folder"
            raise EmbeddedServerError(str(path), reason, "Correct its owner, or choose another data folder.")
        return cls(path.resolve())

    @property
    def users_lock(self) -> Path:
        """The lock that every user of the server holds shared."""
        return self.path / "users.lock"

    @property
    def start_lock(self) -> Path:
        """The lock of the one process that is attaching, so that two never start a guardian at once."""
        return self.path / "start.lock"

    @property
    def guardian_lock(self) -> Path:
        """The lock that the guardian holds for its whole life; the file contains its pid."""
        return self.path / "guardian.lock"

    @property
    def server_lock(self) -> Path:
        """The lock that the server process inherits, so that it is held exactly while a server runs."""
        return self.path / "server.lock"

    @property
    def state(self) -> Path:
        """The file with the server's address and login; mode 0600."""
        return self.path / "server.json"

    @property
    def config(self) -> Path:
        """The server's configuration file with its password; mode 0600."""
        return self.path / "server.conf"

    @property
    def log(self) -> Path:
        """The log of server and guardian; its size is limited."""
        return self.path / "server.log"
