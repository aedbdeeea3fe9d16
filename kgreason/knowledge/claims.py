"""Whose a folder is: claims that end with the process that made them, however it ends.

A claim is a lock on the folder itself, so that it moves with the folder and leaves no file in it. Where the system or
the file system has no such locks, nobody can tell.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

Owner: TypeAlias = Literal["nobody", "somebody", "unknown"]


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Wait until no other process is in here with the same folder; where folders cannot be locked, return False."""
    handle = _opened(folder)
    try:
        yield handle is not None and _locked(handle, wait=True) == "nobody"
    finally:
        if handle is not None:
            os.close(handle)


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Say that a folder is this process's, whatever it is called later."""
    handle = _opened(folder)
    if handle is not None:
        _locked(handle, wait=False)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def owner(path: Path) -> Owner:
    """Say whose a folder is: nobody can tell of a file, nor where there are no locks."""
    if not path.is_dir() or (handle := _opened(path)) is None:
        return "unknown"
    try:
        return _locked(handle, wait=False)
    finally:
        os.close(handle)


def _opened(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError:  # Windows does not open folders
        return None


def _locked(handle: int, *, wait: bool) -> Owner:
    """Lock what is open, and say whose it was before."""
    try:
        import fcntl
    except ImportError:  # Windows
        return "unknown"
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return "somebody"
    except OSError:  # a file system without locks on folders, as NFS
        return "unknown"
    return "nobody"
