"""One process at a time, for an instant: the system lets go of the lock when its process ends, however it ends."""

from pathlib import Path
from typing import IO, final

from kgreason.errors import StoreError


@final
class FileLock:
    """A lock on a file, held from `acquire` to `release`; it has the form that Optuna's journal asks for.

    Works between processes of one machine, and of several on a shared file system that has locks (NFS from version 4).

    Args:
        path: The file; made with its folder if it is not there, and left there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Wait for the lock.

        Raises:
            StoreError: If the file cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("ab")
            _lock(file)
        except OSError as error:
            raise StoreError(f"{self._path} could not be locked: {error.strerror or error}.") from error
        self._file = file
        return True

    def release(self) -> None:
        """Let go."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock(file: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(file, fcntl.LOCK_EX)
