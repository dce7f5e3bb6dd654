"""Starts, watches and stops the server process of a data folder. Used by the guardian alone."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.embedded.locks import FileLock
from bullworks.redis.embedded.log_file import log_tail, open_log
from bullworks.redis.embedded.probe import answering
from bullworks.redis.embedded.state import HOST, ServerState, read_state, write_private, write_state
from bullworks.redis.errors import EmbeddedServerError

_POLL_S = 0.02
_PORT_TRIES = 5
_FIRST_PORT, _PORTS = 20_000, 12_000
_LOADING_S = 600.0  # a folder of many gigabytes; users give up long before
_ADOPT_S = 20.0  # less than a user waits, so that he hears the reason
_LOCK_WAIT_S = 30.0  # a rewrite child of a killed server may live on for a moment
_STOP_S = 30.0


class ServerProcess:
    """A running server, started by this guardian or found running."""

    def __init__(self, folder: DataFolder, state: ServerState, child: subprocess.Popen[bytes] | None) -> None:
        self._folder = folder
        self._child = child
        self.state = state

    @classmethod
    def adopt(cls, folder: DataFolder, wait_s: float = _ADOPT_S) -> ServerProcess:
        """Adopt the server that an earlier guardian left running.

        Raises:
            EmbeddedServerError: a server process holds the folder but does not answer.
        """
        deadline_s = time.monotonic() + wait_s
        state = read_state(folder)
        while state is not None and time.monotonic() < deadline_s and FileLock.is_held(folder.server_lock):
            found = answering(folder, state)
            if found is not None:
                write_state(folder, found)
                return cls(folder, found, None)
            time.sleep(_POLL_S)
        who = f"process {state.pid}" if state is not None and state.pid else "a process"
        raise EmbeddedServerError(
            str(folder.path),
            f"a server ({who}) runs on the folder but does not answer",
            f"Look into {folder.log}, end that process, and start again.",
        )

    @classmethod
    def start(cls, folder: DataFolder, binary: Path, is_unwanted: Callable[[], bool]) -> ServerProcess:
        """Start a server on the folder, and wait until it serves.

        After a server that ended without cleaning up, its port and password are used again if the port is
        free, so that clients which are still there find the new one.

        Args:
            folder: the data folder; no server runs on it.
            binary: server program.
            is_unwanted: asked again and again while a server loads its data; true gives the start up.

        Raises:
            EmbeddedServerError: it ended at once or never became ready; the reason is from its log.
        """
        left_behind = read_state(folder)
        for _ in range(_PORT_TRIES):
            port = left_behind.port if left_behind is not None else free_port()
            password = left_behind.password if left_behind is not None else secrets.token_urlsafe(32)
            started = cls._try_start(folder, binary, ServerState(0, port, "", password), is_unwanted)
            if started is not None:
                return started
            left_behind = None
        raise EmbeddedServerError(str(folder.path), "no free port was found", "Try again.")

    @classmethod
    def _try_start(
        cls, folder: DataFolder, binary: Path, state: ServerState, is_unwanted: Callable[[], bool]
    ) -> ServerProcess | None:
        """The server, or None if another process took its port."""
        lock = FileLock.take(folder.server_lock, time.monotonic() + _LOCK_WAIT_S)
        log_fd = open_log(folder)
        log_start = os.fstat(log_fd).st_size
        try:
            write_private(folder.config, _config(state))
            # Before the process exists: a guardian killed here leaves a server that the next one can find.
            write_state(folder, state)
            child = subprocess.Popen(  # noqa: S603 - the program was found by find_binary
                [str(binary), str(folder.config)],
                stdin=subprocess.DEVNULL,
                stdout=log_fd,
                stderr=log_fd,
                cwd=folder.path,
                pass_fds=(lock.fd,),
                start_new_session=True,
            )
        except OSError as error:
            reason = f"{binary} cannot be run ({error.strerror})"
            raise EmbeddedServerError(str(folder.path), reason, "Install a server for this machine.") from error
        finally:
            os.close(log_fd)
            lock.release()
        state = replace(state, pid=child.pid)
        write_state(folder, state)
        deadline_s = time.monotonic() + _LOADING_S
        while child.poll() is None and time.monotonic() < deadline_s and not is_unwanted():
            time.sleep(_POLL_S)  # first, so that a server that ends at once is seen to have ended
            ready = answering(folder, state) if child.poll() is None else None
            if ready is not None:
                write_state(folder, ready)
                return cls(folder, ready, child)
        is_ended = child.poll() is not None
        said = log_tail(folder, log_start)
        if not is_ended:
            child.kill()
            child.wait()
        if "Address already in use" in said:
            return None
        reason = f"{binary} ended with code {child.returncode}" if is_ended else f"{binary} did not become ready"
        raise EmbeddedServerError(str(folder.path), f"{reason}: {_last_line(said)}", f"See {folder.log}.")

    def is_running(self) -> bool:
        """Whether the process is still running; reaps it if it was a child."""
        if self._child is not None:
            return self._child.poll() is None
        return FileLock.is_held(self._folder.server_lock)

    def stop(self) -> None:
        """Stop the server: SIGTERM, on which it saves its data; SIGKILL if it hangs."""
        if self._child is None and answering(self._folder, self.state) is None:
            return  # not a child, so only its own answer proves that the pid is still its
        for signum in (signal.SIGTERM, signal.SIGKILL):
            if not self.is_running():
                return
            os.kill(self.state.pid, signum)
            deadline_s = time.monotonic() + _STOP_S
            while self.is_running() and time.monotonic() < deadline_s:
                time.sleep(_POLL_S)


def free_port() -> int:
    """Find a port on which nothing was listening a moment ago.

    Below the range from which systems give ports to outgoing connections: a server that died has to find
    its port free again.
    """
    for _ in range(_PORT_TRIES):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, _FIRST_PORT + secrets.randbelow(_PORTS)))
            return int(probe.getsockname()[1])
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _config(state: ServerState) -> str:
    """The configuration file; the password is here because arguments can be read by every user."""
    lines = [
        f"bind {HOST}",
        f"port {state.port}",
        f"requirepass {state.password}",
        "dir .",  # the folder, in which the process is started: a path here would need quoting
        "daemonize no",
        "appendonly yes",
        "appendfsync everysec",
        # The log of commands, not a snapshot: Redis and Valkey read each other's, whatever their versions.
        "aof-use-rdb-preamble no",
        "aof-load-truncated yes",
        'save ""',
        "maxmemory-policy noeviction",
    ]
    return "\n".join(lines) + "\n"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no output"
