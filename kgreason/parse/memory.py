"""Parses kept on disk by content, so that the same text is parsed once."""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import final

import numpy as np

from kgreason.errors import StoreError
from kgreason.parse.sentence import Sentence
from kgreason.places import cache_folder


@final
class ParseMemory:
    """A table from texts to their parses in the cache folder; safe when several processes share it.

    Args:
        fingerprint: What the parses depend on besides the text: the parser's weights and precision.

    Raises:
        StoreError: If the file is damaged or cannot be written; the message says which file to delete.
    """

    def __init__(self, fingerprint: str) -> None:
        name = hashlib.sha256(f"kgreason-parses-1 {fingerprint}".encode()).hexdigest()[:20]
        self.file: Path = cache_folder() / "parses" / f"{name}.sqlite"

    def get(self, texts: Sequence[str]) -> dict[str, list[Sentence]]:
        """Return the parses of those texts that are known."""
        if not self.file.is_file():
            return {}
        found = {}
        with closing(self._open()) as table:
            for text in texts:
                try:
                    row = table.execute("SELECT parse FROM parses WHERE text = ?", (_key(text),)).fetchone()
                    if row:
                        found[text] = _unpack(row[0])
                except (sqlite3.DatabaseError, zlib.error, ValueError) as error:
                    raise self._damaged(error) from error
        return found

    def put(self, parses: Mapping[str, list[Sentence]]) -> None:
        """Keep parses, all or none of them."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        rows = [(_key(text), _pack(sentences)) for text, sentences in parses.items()]
        try:
            with closing(self._open()) as table, table:
                table.executemany("INSERT OR REPLACE INTO parses VALUES (?, ?)", rows)
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _open(self) -> sqlite3.Connection:
        table = sqlite3.connect(self.file, timeout=60)
        try:
            table.execute("CREATE TABLE IF NOT EXISTS parses (text BLOB PRIMARY KEY, parse BLOB) WITHOUT ROWID")
        except sqlite3.DatabaseError as error:
            table.close()
            raise self._damaged(error) from error
        return table

    def _damaged(self, error: Exception) -> StoreError:
        return StoreError(f"The parse cache {self.file} cannot be used: {error}. Delete it; parses are made again.")


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _pack(sentences: Sequence[Sentence]) -> bytes:
    columns = [[s.words, s.spans.tolist(), s.lemmas, s.upos, s.xpos, s.governors, s.relations] for s in sentences]
    return zlib.compress(json.dumps(columns).encode(), 1)


def _unpack(data: bytes) -> list[Sentence]:
    found = []
    for words, spans, lemmas, upos, xpos, governors, relations in json.loads(zlib.decompress(data)):
        columns = (tuple(column) for column in (lemmas, upos, xpos, governors, relations))
        found.append(Sentence(tuple(words), np.array(spans, np.int32).reshape(-1, 2), *columns))
    return found
