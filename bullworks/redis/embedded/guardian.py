"""The guardian: parent of the server, stops it when no process uses the folder any more.

One per folder, `python -m bullworks.redis.embedded DIR`, started by the first user. It restarts a server that
dies under its users, on the same port, and takes over a server whose guardian was killed.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import time
from pathlib import Path
from types import FrameType

from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.embedded.locks import FileLock
from bullworks.redis.embedded.log_file import cap_log
from bullworks.redis.embedded.process import ServerProcess
from bullworks.redis.embedded.state import read_state, write_state
from bullworks.redis.errors import EmbeddedServerError

log = logging.getLogger(__name__)

_TICK_S = 0.2
_FILE_CHECK_S = 2.0
_LOCK_WAIT_S = 2.0  # users probe the guardian's lock by taking it for an instant
_MAX_RESTARTS = 5  # within the window; a server that dies more often will not live
_RESTART_WINDOW_S = 60.0


class Guardian:
    """Watches one server until no process needs it, then stops it."""

    def __init__(self, folder: DataFolder, binary: Path, *, linger_ms: int, ready_fd: int | None = None) -> None:
        """Args:
        folder: the data folder.
        binary: server program.
        linger_ms: how long the server outlives its last user, milliseconds.
        ready_fd: pipe to report the outcome of the start to.
        """
        self._folder = folder
        self._binary = binary
        self._linger_s = linger_ms / 1000
        self._ready_fd = ready_fd
        self._is_told_to_stop = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def run(self) -> int:
        """Start or adopt the server and watch it. Returns the exit code of the guardian process."""
        self._listen_to_signals()
        try:
            guardian_lock = FileLock.take(self._folder.guardian_lock, time.monotonic() + _LOCK_WAIT_S)
        except TimeoutError:
            self._report({"outcome": "another guardian is there"})
            return 0
        guardian_lock.sign()
        try:
            server = self._first_server()
            self._report({"outcome": "ready"})
            log.info("guarding server %d on %s", server.state.pid, self._folder.path)
            self._watch(server, guardian_lock)
        except EmbeddedServerError as error:
            log.error("%s", error)  # no traceback: the text says all
            self._report({"outcome": "failed", "reason": error.reason, "hint": error.hint})
            return 1
        finally:
            guardian_lock.release()
        return 0

    def _first_server(self) -> ServerProcess:
        if FileLock.is_held(self._folder.server_lock):
            return ServerProcess.adopt(self._folder)
        return self._start_server()

    def _start_server(self) -> ServerProcess:
        return ServerProcess.start(self._folder, self._binary, lambda: self._is_told_to_stop)

    def _watch(self, server: ServerProcess, guardian_lock: FileLock) -> None:
        unused_since_s: float | None = None
        next_file_check_s = 0.0
        restarted_at_s: list[float] = []
        while True:
            now_s = time.monotonic()
            if not guardian_lock.is_at(self._folder.guardian_lock):
                # The files that lie there now, if any, belong to another guardian.
                log.warning("the folder %s was removed", self._folder.path)
                server.stop()
                return
            if not server.is_running():
                restarted_at_s = [at_s for at_s in restarted_at_s if now_s - at_s < _RESTART_WINDOW_S]
                if len(restarted_at_s) >= _MAX_RESTARTS:
                    reason = f"the server died {_MAX_RESTARTS} times in {_RESTART_WINDOW_S:g} s"
                    raise EmbeddedServerError(str(self._folder.path), reason, f"See {self._folder.log}.")
                restarted_at_s.append(now_s)
                log.warning("server %d died, starting it again", server.state.pid)
                server = self._start_server()
            users_lock = FileLock.try_take(self._folder.users_lock)
            if users_lock is None:
                unused_since_s = None
            elif unused_since_s is None:
                unused_since_s = now_s
            is_unused = unused_since_s is not None and now_s - unused_since_s >= self._linger_s
            if self._is_told_to_stop or is_unused:
                # The users' lock stays taken meanwhile: who comes now waits, and starts a server of his own.
                self._stop(server)
                if users_lock is not None:
                    users_lock.release()
                return
            if users_lock is not None:
                users_lock.release()
            if now_s >= next_file_check_s:
                cap_log(self._folder)
                if read_state(self._folder) != server.state:
                    write_state(self._folder, server.state)
                next_file_check_s = now_s + _FILE_CHECK_S
            self._sleep()

    def _stop(self, server: ServerProcess) -> None:
        log.info("stopping server %d", server.state.pid)
        server.stop()
        # Gone means ended in order: only then does the next server get a port and password of its own.
        self._folder.state.unlink(missing_ok=True)

    def _listen_to_signals(self) -> None:
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGCHLD, self._on_signal)
        for signum in (signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)

    def _on_signal(self, signum: int, _frame: FrameType | None) -> None:
        if signum == signal.SIGTERM:
            self._is_told_to_stop = True

    def _sleep(self) -> None:
        """Wait one tick, less if a signal comes."""
        readable, _, _ = select.select([self._wake_read], [], [], _TICK_S)
        if readable:
            os.read(self._wake_read, 4096)

    def _report(self, message: dict[str, str]) -> None:
        """Tell the user who started this guardian, who may be gone by now."""
        fd, self._ready_fd = self._ready_fd, None
        if fd is None:
            return
        try:
            os.write(fd, json.dumps(message).encode())
        except BrokenPipeError:
            log.info("the process that started this guardian has exited")
        finally:
            os.close(fd)
