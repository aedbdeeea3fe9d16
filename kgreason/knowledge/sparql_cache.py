"""What an endpoint has said, kept on disk until it expires. One small database for each endpoint; no pickle."""

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, final

_LOG = logging.getLogger(__name__)
_BATCH = 500
_TABLE = "CREATE TABLE IF NOT EXISTS said (key TEXT PRIMARY KEY, at REAL NOT NULL, value TEXT NOT NULL) WITHOUT ROWID"


@final
class Cache:
    """Answers by key, each with the time it was given. May be used by several threads and processes at once.

    A cache that cannot be read or written costs time, not answers: what is wrong is logged once, and nothing is kept.

    Args:
        path: The file; made when something is first kept, readable by this user alone.
        days: How long an answer holds, in days; 0 keeps nothing.
    """

    def __init__(self, path: Path, days: float) -> None:
        self.path, self.days = path, days
        self._broken = days <= 0

    def get(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return what is kept and has not expired."""
        wanted = list(dict.fromkeys(keys))
        if self._broken or not wanted or not self.path.exists():
            return {}
        found: dict[str, Any] = {}
        with self._guarded(), self._open() as base:
            for i in range(0, len(wanted), _BATCH):
                part = wanted[i : i + _BATCH]
                holes = ",".join("?" * len(part))
                since = time.time() - self.days * 86400
                rows = base.execute(f"SELECT key, value FROM said WHERE key IN ({holes}) AND at > ?", [*part, since])
                found |= {key: json.loads(value) for key, value in rows}
        return found

    def put(self, values: Mapping[str, Any]) -> None:
        """Keep answers, in one transaction."""
        if self._broken or not values:
            return
        now = time.time()
        rows = [(key, now, json.dumps(value, ensure_ascii=True)) for key, value in values.items()]
        with self._guarded():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600, exist_ok=True)
            with self._open() as base:
                base.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?)", rows)

    def sweep(self) -> int:
        """Remove what has expired, and return how much that was."""
        if self._broken or not self.path.exists():
            return 0
        with self._guarded(), self._open() as base:
            return base.execute("DELETE FROM said WHERE at <= ?", [time.time() - self.days * 86400]).rowcount
        return 0

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        base = sqlite3.connect(self.path, timeout=30)
        try:
            with base:
                base.execute(_TABLE)
                yield base
        finally:
            base.close()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            self._broken = True
            _LOG.warning("%s cannot be used as a cache (%s); answers are asked for each time.", self.path, error)
