"""A lock between processes that share a file: the kernel's `flock`, waited for without polling and not for ever."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread


class FileLock:
    """The lock on one file. The kernel takes it back when a process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._changed = Condition()
        self._wanted = False
        self._waiting = False
        self._held = False

    def acquire(self, timeout: float) -> bool:
        """Take the lock; False where it was not to be had within `timeout` seconds. For one thread at a time."""
        with self._changed:
            if not self._waiting:
                with suppress(BlockingIOError):
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._held = True
                    return True
                # `flock` has no timeout: a thread waits for it, and this one waits for the thread.
                self._waiting = True
                Thread(target=self._wait, name="everbearer file lock", daemon=True).start()
            self._wanted = True
            self._changed.wait_for(lambda: self._held, timeout)
            self._wanted = False
            return self._held

    def acquire_at_once(self) -> bool:
        """Take the lock; False where another has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._held = True
        return True

    def wait(self) -> None:
        """Take the lock, however long that takes."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._held = True

    def release(self) -> None:
        """Let the next one in."""
        with self._changed:
            self._held = False
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file, or leave that to the thread that still waits for the lock."""
        with self._changed:
            file, self._file = self._file, -1
            if not self._waiting:
                os.close(file)

    def _wait(self) -> None:
        file = self._file
        fcntl.flock(file, fcntl.LOCK_EX)
        with self._changed:
            self._waiting = False
            if self._file == -1:
                os.close(file)
            elif self._wanted:
                self._held = True
                self._changed.notify_all()
            else:
                fcntl.flock(file, fcntl.LOCK_UN)
