"""A folder of .eml files that stands in for a mail server: any mail program opens them."""

import os
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path


class Outbox:
    """Writes each mail into a file of its own, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, message: EmailMessage) -> Path:
        """Write a mail; returns the path of the new file. Names sort by time.

        Raises:
            OSError: the folder cannot be made or written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self.folder / f"{at}-{uuid.uuid4().hex[:8]}.eml"
        unfinished = path.with_suffix(".tmp")
        # A reader that looks for *.eml sees no half-written mail, even after a crash.
        with unfinished.open("xb") as file:
            file.write(message.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        return unfinished.replace(path)
