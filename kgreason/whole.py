"""Files that appear whole or not at all: written under another name beside their place, renamed when all is there."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def beside(path: Path) -> Path:
    """Return an unused name for what is to become `path`: hidden, in the same folder.

    The name comes first and the file after it, so that who is interrupted between the two knows what to remove.
    """
    return path.parent / f".{path.name}-{secrets.token_hex(6)}"


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file under a temporary name, and give it its own when all is written and on disk; if not, nothing is left.

    What was there before stays until then. Folders on the way are made.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all, and return it.

    Raises:
        OSError: If it cannot be written.
    """
    with new_file(path) as file:
        file.write(content)
    return path
