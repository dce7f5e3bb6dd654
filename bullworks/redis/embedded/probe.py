"""Asks the server of a data folder whether it serves, with no client library: the guardian starts without redis-py."""

from __future__ import annotations

import os
import socket
from typing import Any

import hiredis

from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.embedded.state import HOST, ServerState

_TIMEOUT_S = 2.0
_READ_BYTES = 65_536


def answering(folder: DataFolder, state: ServerState) -> ServerState | None:
    """Check that the server of `state` answers, and complete `state` from its answer; None if it is another.

    A port or pid may have passed to another process since the file was written: the run id, which no two
    servers share, and the folder it works in have to agree.
    """
    try:
        login, told, config = _ask(state.port, ("AUTH", state.password), ("INFO",), ("CONFIG", "GET", "dir"))
    except (OSError, hiredis.ProtocolError):
        return None
    if login != b"OK" or not isinstance(told, bytes) or config != [b"dir", os.fsencode(folder.path)]:
        return None
    info = _fields(told)
    run_id = info["run_id"]
    if info["loading"] != "0" or state.run_id not in {"", run_id}:
        return None
    return ServerState(pid=int(info["process_id"]), port=state.port, run_id=run_id, password=state.password)


def _ask(port: int, *commands: tuple[str, ...]) -> list[Any]:
    """The replies to the commands, which are sent at once; of one that is refused, the error.

    Raises:
        OSError: the port does not take a connection, or closes it, or is silent for too long.
        hiredis.ProtocolError: whatever listens there is not Redis.
    """
    reader = hiredis.Reader()
    replies: list[Any] = []
    with socket.create_connection((HOST, port), _TIMEOUT_S) as connection:
        # hiredis declares a tuple of exactly one.
        connection.sendall(b"".join(hiredis.pack_command(command) for command in commands))  # type: ignore[arg-type]
        while len(replies) < len(commands):
            received = connection.recv(_READ_BYTES)
            if not received:
                raise ConnectionResetError
            reader.feed(received)
            while (reply := reader.gets()) is not False:
                replies.append(reply)
    return replies


def _fields(info: bytes) -> dict[str, str]:
    lines = info.decode("utf-8", "replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
