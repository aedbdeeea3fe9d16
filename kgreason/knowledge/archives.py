"""Opens one file of a graph: unpacked, out of an archive, counted, checksummed, within limits."""

import hashlib
import io
import lzma
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, final

from kgreason.errors import DataError
from kgreason.knowledge.files import STDIN, Bytes, ending_of, endings_of, unpacked
from kgreason.knowledge.limits import Limits

_PIECE = 2**20
_LINK = 0o120000  # the file type of a symbolic link, in a zip entry


@final
class Raw:
    """A file as it lies on disk (or comes from standard input): counts and checksums what is read."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0 if str(path) == STDIN else path.stat().st_size
        self._file: Any = sys.stdin.buffer if str(path) == STDIN else path.open("rb", buffering=0)
        self._hash = hashlib.sha256()
        self.done = self.out = self.hashed = 0

    @property
    def name(self) -> str:
        return "stdin" if str(self.path) == STDIN else self.path.name

    @property
    def sha256(self) -> str:
        """The checksum of what was read so far."""
        return self._hash.hexdigest()

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:  # nobody may ask for all of it at once
            size = _PIECE
        data: bytes = self._file.read(size) or b""
        self._hash.update(data)
        self.done += len(data)
        self.hashed += len(data)
        return data

    def seek(self, offset: int) -> None:
        """Go on reading at a byte; what is passed over counts for no checksum."""
        self._file.seek(offset)
        self.done = offset

    def drain(self) -> None:
        """Read what is left, so that the checksum is that of the whole file."""
        while self.read(_PIECE):
            pass

    def close(self) -> None:
        if self._file is not sys.stdin.buffer:
            self._file.close()


@final
class Feed:
    """One file of a graph, plain: what readers read from.

    Args:
        name: What to call it in messages.
        file: Where its bytes come from, packed as `packing` says.
        packing: The ending of how it is packed, or nothing.
        raw: The file on disk that this comes from.
        limits: How much may come out of it.
    """

    def __init__(self, name: str, file: Bytes, packing: str, raw: Raw, limits: Limits) -> None:
        self.name, self.raw, self.offset, self._limits = name, raw, 0, limits
        self._file = unpacked(file, packing)
        self._packed = bool(packing) or ending_of(raw.path) == ".zip"
        self.until = -1  # the byte before which reading stops, if it is to stop within the file

    @property
    def ending(self) -> str:
        return ending_of(self.name)

    @property
    def inside(self) -> bool:
        """Whether it lies in an archive, perhaps beside a readme and a licence."""
        return self.raw.name != "stdin" and self.name != str(self.raw.path)

    def read(self, size: int = _PIECE, /) -> bytes:
        """Return up to `size` bytes, none at the end.

        Raises:
            DataError: If the file is damaged, or more comes out of it than `limits` allow.
        """
        size = size if size >= 0 else _PIECE
        if self.until >= 0:
            size = min(size, max(self.until - self.offset, 0))
        try:
            data = self._file.read(size) or b""
        except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError) as error:
            raise DataError(f"{self.name} cannot be read to its end: {error}. Get the file again.") from None
        self.offset += len(data)
        if self._packed:
            self.raw.out += len(data)
            packed = max(self.raw.done, 1)
            if self.raw.out > max(self._limits.free, self._limits.ratio * packed):
                raise DataError(
                    f"{self.name}: more than {self.raw.out:,} bytes come out of {packed:,} packed ones, as from a zip "
                    f"bomb. If you trust the file, raise the limit 'ratio' (it is {self._limits.ratio})."
                )
        return data

    def skip(self, offset: int) -> None:
        """Read and forget everything before `offset`.

        Raises:
            DataError: If the file is damaged.
        """
        if self.until >= 0 and offset > self.offset:  # its checksum is nobody's business here
            self.raw.seek(offset)
            self.offset = offset
        while self.offset < offset and self.read(min(_PIECE, offset - self.offset)):
            pass


def feeds_of(raw: Raw, limits: Limits) -> Iterator[Feed]:
    """Yield the files inside one path: itself, or the members of an archive. Read each before asking for the next.

    Nothing is ever written to disk; still, an archive with a name that leads out of it is refused as a whole, since
    nobody makes one for an honest reason.

    Raises:
        DataError: If the archive is damaged, has such a name, or too many members.
    """
    kind, packing = endings_of(raw.path)
    name = "stdin" if str(raw.path) == STDIN else str(raw.path)
    if kind == ".zip" and not packing:
        yield from _zipped(raw, limits)
    elif kind == ".tar":
        yield from _tarred(raw, packing, limits)
    else:
        yield Feed(name, raw, packing, raw, limits)


def _zipped(raw: Raw, limits: Limits) -> Iterator[Feed]:
    raw.drain()  # the checksum of the whole; the members are found by the table at its end
    raw.done = 0
    try:
        archive = zipfile.ZipFile(raw.path)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise DataError(f"{raw.path} is not a zip archive: {error}. Get the file again.") from None
    with archive:
        entries = archive.infolist()
        _check_names(raw.path, [e.filename for e in entries], limits)
        for entry in sorted(entries, key=lambda e: e.filename):
            if entry.external_attr >> 16 & 0o170000 == _LINK:
                raise DataError(f"{raw.path} holds the link '{entry.filename}'; expected files only.")
            if entry.flag_bits & 1:
                raise DataError(f"{raw.path}: '{entry.filename}' is encrypted. Unpack it first.")
            if entry.is_dir():
                continue
            counted = _Counted(archive, entry, raw)
            yield Feed(f"{raw.path}/{entry.filename}", counted, endings_of(entry.filename)[1], raw, limits)


@final
class _Counted:
    """A member of a zip archive, whose packed bytes are counted as if they had been read in order."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, raw: Raw) -> None:
        try:
            self._file = archive.open(entry)
        except (NotImplementedError, RuntimeError, OSError, zipfile.BadZipFile) as error:
            raise DataError(f"{raw.path}: '{entry.filename}' cannot be unpacked: {error}.") from None
        self._entry, self._raw, self._out = entry, raw, 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size if size >= 0 else _PIECE)
        before, self._out = self._out, self._out + len(data)
        whole = max(self._entry.file_size, 1)
        # What the table says the member has; if it lies, zipfile itself stops at that size.
        self._raw.done += self._entry.compress_size * self._out // whole - self._entry.compress_size * before // whole
        return data


def _tarred(raw: Raw, packing: str, limits: Limits) -> Iterator[Feed]:
    whole = Feed(str(raw.path), raw, packing, raw, limits)
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Stream(whole)), mode="r|") as archive:
            for count, member in enumerate(archive, start=1):
                _check_names(raw.path, [member.name], limits, count)
                if member.isdir():
                    continue
                if not member.isreg():
                    raise DataError(
                        f"{raw.path} holds '{member.name}', which is a link or device; expected files only."
                    )
                file = archive.extractfile(member)
                if file is not None:
                    yield Feed(f"{raw.path}/{member.name}", file, endings_of(member.name)[1], raw, limits)
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{raw.path} is not a tar archive, or is cut short: {error}. Get the file again.") from None
    raw.drain()


@final
class _Stream(io.RawIOBase):
    """A feed as the file object that `tarfile` wants."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._feed.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _check_names(path: Path, names: list[str], limits: Limits, count: int = 0) -> None:
    if max(count, len(names)) > limits.members:
        raise DataError(f"{path} holds more than {limits.members:,} files (the limit 'members'). Unpack it first.")
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or "\0" in name or (parts.parts and ":" in parts.parts[0]):
            raise DataError(f"{path} holds a file named {name!r}, which leads out of the archive. It was not opened.")
