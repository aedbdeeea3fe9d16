"""Errors that kgreason raises on purpose.

Every message says what was found, where, what was expected, and what to do next. The command line prints the message
alone, without a traceback, and exits with code 2.
"""


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
