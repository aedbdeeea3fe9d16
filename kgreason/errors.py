"""Errors that kgreason raises on purpose.

Every message says what was found, where, what was expected, and what to do next. The command line prints the message
alone, without a traceback, and exits with code 2.
"""

import difflib
from collections.abc import Iterable


class KgreasonError(Exception):
    """Base of every error that kgreason raises on purpose."""


class ConfigError(KgreasonError, ValueError):
    """An experiment file or a component table is wrong."""


class DataError(KgreasonError, ValueError):
    """A graph, an example or a dataset file breaks an invariant."""


class StoreError(KgreasonError):
    """A file on disk is missing, truncated, tampered with, or cannot be written."""


class MissingExtraError(KgreasonError, ImportError):
    """An optional package is needed and is not installed."""

    def __init__(self, package: str, extra: str, needed_by: str) -> None:
        super().__init__(f"{needed_by} needs the package '{package}'. Install it with: pip install 'kgreason[{extra}]'")


def near(name: object, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the nearest known name, or nothing: the end of a message about a wrong name."""
    found = difflib.get_close_matches(str(name), list(known), n=1)
    return f" Did you mean '{found[0]}'?" if found else ""
