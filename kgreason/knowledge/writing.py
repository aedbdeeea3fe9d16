"""What is said when the disk refuses what is being written."""

import contextlib
from collections.abc import Iterator

from kgreason.errors import StoreError


@contextlib.contextmanager
def writing(what: object) -> Iterator[None]:
    """Say of an error of the system what could not be written, why, and what to do.

    Args:
        what: What is being written: a path, or `The store PATH`. It must be written whole or not at all.

    Raises:
        StoreError: If the system refused (no space, no permission).
    """
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{what} could not be written: {error.strerror or error}. Nothing was half written; "
            "make room or choose another place."
        ) from error
