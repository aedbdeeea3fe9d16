"""States of a frozen language model on disk: appended by any number of processes, read through memory maps."""

import logging
import os
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
from jaxtyping import Float16
from numpy import ndarray

from kgreason.errors import StoreError

_log = logging.getLogger(__name__)
#: One line of an index file.
_RECORD = np.dtype([("key", "V16"), ("start", "<i8"), ("length", "<i4"), ("crc", "<u4")])
_KEY = 16


class _Place(NamedTuple):
    segment: str
    start: int
    length: int
    crc: int


@final
class StateCache:
    """A folder of segments; each is a file of float16 rows (`.f16`) and a file of records that say what is where.

    A process appends only to a segment of its own, rows first and then their record, so several processes can fill one
    folder with no lock. A record carries a checksum of its rows, checked the first time a process reads them: what a
    crash or a full disk has cut short counts as not there, and is computed again.

    Args:
        folder: Made on the first write.
        width: Numbers in a row: one row per token.
        limit: Bytes after which nothing more is added.
    """

    def __init__(self, folder: Path, width: int, limit: int) -> None:
        self.folder, self.width, self.limit = folder, width, limit
        self._places: dict[bytes, _Place] = {}
        self._others: dict[bytes, list[_Place]] = {}  # where else a key is: two processes may have computed it
        self._read_to: dict[str, int] = {}
        self._maps: dict[str, ndarray] = {}
        self._checked: set[bytes] = set()
        self._size = 0
        self._full = False
        self._mine: tuple[int, str] | None = None
        self.refresh()

    def __len__(self) -> int:
        return len(self._places)

    def refresh(self) -> None:
        """Learn what other processes have added."""
        try:
            found = sorted(self.folder.glob("*.idx"))
        except OSError:
            found = []
        for index in found:
            self._learn(index)
        self._size = sum(p.stat().st_size for p in self.folder.glob("*.f16")) if found else 0

    def _learn(self, index: Path) -> None:
        name, done = index.stem, self._read_to.get(index.stem, 0)
        count = index.stat().st_size // _RECORD.itemsize - done  # a record that is not whole yet is left for later
        if count <= 0:
            return
        records = np.fromfile(index, _RECORD, count, offset=done * _RECORD.itemsize)
        keys = records["key"].tobytes()
        columns = zip(records["start"].tolist(), records["length"].tolist(), records["crc"].tolist(), strict=True)
        for i, (start, length, crc) in enumerate(columns):
            key, place = keys[i * _KEY : (i + 1) * _KEY], _Place(name, start, length, crc)
            if self._places.setdefault(key, place) is not place:
                self._others.setdefault(key, []).append(place)
        self._read_to[name] = done + len(records)

    def missing(self, keys: Sequence[bytes]) -> list[int]:
        """Return the positions of the keys that are not there; looks once more at what others have added."""
        lost = [i for i, key in enumerate(keys) if not self._sound(key)]
        if lost:
            self.refresh()
            lost = [i for i in lost if not self._sound(keys[i])]
        return lost

    def _sound(self, key: bytes) -> bool:
        if key in self._checked:
            return True
        while key in self._places:
            place = self._places[key]
            rows = self._rows(place)
            if rows is not None and zlib.crc32(rows.data) == place.crc:
                self._checked.add(key)
                return True
            del self._places[key]
            if others := self._others.get(key):
                self._places[key] = others.pop()
        return False

    def _rows(self, place: _Place) -> Float16[ndarray, "tokens width"] | None:
        end = place.start + place.length
        mapped = self._maps.get(place.segment)
        if mapped is None or len(mapped) < end:
            path = self.folder / f"{place.segment}.f16"
            try:
                whole = path.stat().st_size // (2 * self.width)
                mapped = np.memmap(path, np.float16, "r", shape=(whole, self.width)) if whole else None
            except OSError:
                return None
            if mapped is None or whole < end:
                return None
            self._maps[place.segment] = mapped
        return np.asarray(mapped[place.start : end])

    def read(self, key: bytes, out: Float16[ndarray, "room width"]) -> None:
        """Copy the rows of `key`, which must be there, to the start of `out`."""
        place = self._places[key]
        rows = self._rows(place)
        if rows is None:
            raise StoreError(f"{self.folder / place.segment}.f16 has gone or shrunk while it was in use; start again.")
        out[: place.length] = rows

    def add(self, keys: Sequence[bytes], states: Sequence[ndarray]) -> None:
        """Append rows, unless the cache is full.

        Args:
            keys: What each row of the batch is found by.
            states: The states of each, (tokens, width) float16; rows differ in length.

        Raises:
            StoreError: If the disk is full or the folder cannot be written.
        """
        room = sum(s.nbytes for s in states)
        if self._size + room > self.limit:
            if not self._full:
                _log.info("%s holds its %.1f GB; what is new is not kept.", self.folder, self.limit / 1e9)
            self._full = True
            return
        try:
            name = self._append(keys, states)
        except OSError as error:
            self._mine = None  # the next write begins a new segment after whatever was cut short
            raise StoreError(
                f"The states of the language model could not be written to {self.folder}: {error.strerror or error}. "
                "Free some space, set KGREASON_CACHE to another folder, or turn this off with cache_gb = 0."
            ) from error
        self._size += room
        self._learn(self.folder / f"{name}.idx")
        self._checked.update(keys)

    def _append(self, keys: Sequence[bytes], states: Sequence[ndarray]) -> str:
        if self._mine is None or self._mine[0] != os.getpid():  # a forked child must not append to its parent's
            self.folder.mkdir(parents=True, exist_ok=True)
            self._mine = (os.getpid(), uuid.uuid4().hex)
        name = self._mine[1]
        records = np.zeros(len(keys), _RECORD)
        with (self.folder / f"{name}.f16").open("ab") as rows:
            start = rows.seek(0, os.SEEK_END) // (2 * self.width)
            for i, (key, state) in enumerate(zip(keys, states, strict=True)):
                data = np.ascontiguousarray(state)
                rows.write(data.data)
                records[i] = (key, start, len(data), zlib.crc32(data.data))
                start += len(data)
        with (self.folder / f"{name}.idx").open("ab") as index:  # after the rows it speaks of
            index.write(records.tobytes())
        return name
