"""The files a source is given: paths, globs, stdin; plain or compressed."""

import bz2
import glob
import gzip
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, final, runtime_checkable

from kgreason.errors import DataError

#: What a source that reads files takes: one path, or several that make up one graph.
Paths: TypeAlias = str | Path | Sequence[str | Path]

#: The path that stands for standard input.
STDIN = "-"
#: Endings that are unpacked on the way.
PACKINGS = (".gz", ".bz2", ".xz", ".zst")
_SHORT = {".tgz": (".tar", ".gz"), ".tbz2": (".tar", ".bz2"), ".txz": (".tar", ".xz"), ".tzst": (".tar", ".zst")}
_WINDOW = 2**27  # the most memory that a zstd file may ask for; what zstd itself allows by default
_SIP = 2048  # bytes of zstd unpacked at once: at most 64 MB come of them


@runtime_checkable
class Bytes(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes: ...


def paths_of(path: Paths) -> tuple[Path, ...]:
    """Return the paths in order, each of a file that is there, or `-` for standard input; globs are expanded.

    Raises:
        DataError: If there is none, one is missing or a folder, or `-` is not alone.
    """
    paths = expanded((path,) if isinstance(path, (str, Path)) else path)
    for each in paths:
        if str(each) != STDIN and not each.exists():
            raise DataError(f"{each} is missing; expected a file.")
        if str(each) != STDIN and each.is_dir():
            raise DataError(f"{each} is a folder; expected a file.")
    return paths


def expanded(given: Sequence[str | Path]) -> tuple[Path, ...]:
    """Return the paths in order, once each, with the files that a pattern stands for.

    Raises:
        DataError: If there is none, or `-` is not alone.
    """
    paths = tuple(sorted({each for one in given for each in _expanded(str(one))}))
    if not paths:
        raise DataError("No file was given; a graph needs at least one.")
    if Path(STDIN) in paths and len(paths) > 1:
        raise DataError("Standard input (-) cannot be read together with files.")
    return paths


def _expanded(path: str) -> list[Path]:
    if path == STDIN or not glob.has_magic(path) or Path(path).exists():
        return [Path(path)]
    found = [Path(name) for name in glob.glob(path, recursive=True)]  # noqa: PTH207 - Path.glob takes no absolute ones
    if not found:
        raise DataError(
            f"No file is like {path}. In a shell, put the pattern in quotes only if it is meant for kgreason."
        )
    return [each for each in found if each.is_file()]


def endings_of(path: Path | str) -> tuple[str, str]:
    """Return what a file is by its name, and how it is packed: `.tsv` and `.gz` of `FACTS.TSV.gz`."""
    path = Path(path)
    ending = path.suffix.lower()
    if ending in _SHORT:
        return _SHORT[ending]
    return (Path(path.stem).suffix.lower(), ending) if ending in PACKINGS else (ending, "")


def ending_of(path: Path | str) -> str:
    """Return the ending in lower case, without how it is packed: `.tsv` of `FACTS.TSV.gz`."""
    return endings_of(path)[0]


def unpacked(file: Any, packing: str) -> Bytes:
    """Return what is inside a stream of bytes that is packed as the ending says; the stream itself if it is not."""
    if packing == ".gz":
        return gzip.GzipFile(fileobj=file, mode="rb")
    if packing == ".bz2":
        return bz2.BZ2File(file)
    if packing == ".xz":
        return lzma.LZMAFile(file)
    return _Zstandard(file) if packing == ".zst" else file


@final
class _Zstandard:
    """Unpacks zstd, frame after frame; unlike the library's own reader, it notices that the last one is cut short."""

    def __init__(self, file: Bytes) -> None:
        import zstandard

        self._file, self._made = file, zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._frame: Any = None
        self._broken: type[Exception] = zstandard.ZstdError
        self._rest, self._ready = b"", b""

    def read(self, size: int, /) -> bytes:
        while len(self._ready) < size:
            packed = self._rest or self._file.read(_SIP)
            self._rest = b""
            if not packed:
                if self._frame is not None:
                    raise EOFError("the last zstd frame is cut short")
                break
            try:
                self._frame = self._frame or self._made.decompressobj()
                self._ready += self._frame.decompress(packed)
            except self._broken as error:
                raise OSError(str(error)) from None
            if self._frame.eof:
                self._rest, self._frame = self._frame.unused_data, None
        out, self._ready = self._ready[:size], self._ready[size:]
        return out
