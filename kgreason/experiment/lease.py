"""Who works on a folder: one process at a time, on any machine that sees it; a dead one is followed by the next."""

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from pathlib import Path
from typing import Any, final

from kgreason.errors import StoreError

#: Seconds between two signs of life, and after how many without one a process on another machine counts as dead.
BEAT, DEAD = 10.0, 90.0
_NAME = "lease."


@final
class BusyError(StoreError):
    """Another process works on the folder.

    Args:
        folder: Which.
        message: For people.
    """

    def __init__(self, folder: Path, message: str) -> None:
        super().__init__(message)
        self.folder = folder


@final
class Lease:
    """The right to write into a folder, from `take` to `release`.

    The folder holds files `lease.1`, `lease.2`, …, each made with `O_EXCL`, so by one process only; the highest number
    has the right. To follow a process that is dead, or has let go, is to make the next number: of several that try, one
    succeeds. None is deleted before the work is done, so a number never comes back.

    A thread gives a sign of life every `BEAT` seconds. On the same machine a process is dead if it is not there any
    more; on another, after `DEAD` seconds without a sign, by the clock of the file system. A process that was only
    asleep finds out in `check`, and must stop.

    Args:
        path: The file.
        number: In its name.
    """

    def __init__(self, path: Path, number: int) -> None:
        self._path, self._number, self._over = path, number, threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name=f"lease of {path.parent.name}")
        self._thread.start()

    def check(self) -> None:
        """Make sure that the right is still ours.

        Raises:
            BusyError: If another process has followed.
        """
        if _last(self._path.parent)[0] != self._number:
            raise BusyError(
                self._path.parent,
                f"{self._path.parent}: this process gave no sign of life for {DEAD:.0f} s, and another has taken the "
                "run over. Nothing is lost; this one stops.",
            )

    def release(self, done: bool) -> None:
        """Let go: of a folder whose work is done, or of one that the next process may go on with."""
        self._over.set()
        self._thread.join()
        with contextlib.suppress(OSError):  # a full disk: the next finds that this process is gone
            if done:
                for path in self._path.parent.glob(f"{_NAME}*"):
                    path.unlink(missing_ok=True)
            else:
                self._path.write_text(json.dumps({"released": True}))

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            with contextlib.suppress(OSError):
                os.utime(self._path)


def take(folder: Path) -> Lease:
    """Take the right to work on a folder, which is made if it is not there.

    Raises:
        BusyError: If a living process has it.
        StoreError: If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number, path = _last(folder)
        if path is not None and (owner := _living(path)):
            raise BusyError(folder, f"{folder} is being run by {owner}. Wait for it, or give another --out.")
        mine = folder / f"{_NAME}{number + 1}"
        with mine.open("x", encoding="utf-8") as file:
            json.dump(_me(), file)
    except FileExistsError as error:
        told = f"{folder} has just been taken by another process. Wait for it, or give another --out."
        raise BusyError(folder, told) from error
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"{folder} could not be written: {reason}. Free some space or name another --out.") from error
    return Lease(mine, number + 1)


def busy(folder: Path) -> str:
    """Return who works on a folder, in words; nothing if nobody does."""
    path = _last(folder)[1]
    return _living(path) if path is not None else ""


def _last(folder: Path) -> tuple[int, Path | None]:
    found = [(int(p.name[len(_NAME) :]), p) for p in folder.glob(f"{_NAME}*") if p.name[len(_NAME) :].isdigit()]
    return max(found, default=(0, None), key=lambda pair: pair[0])


def _living(path: Path) -> str:
    """Return who holds a lease, in words; nothing if it was released or its process is dead."""
    try:
        said = path.read_text("utf-8")
        owner: dict[str, Any] = json.loads(said) if said else {}  # empty: made just now
    except FileNotFoundError:  # its work is done
        return ""
    except (OSError, ValueError):
        owner = {}
    if owner.get("released"):
        return ""
    me = _me()
    if owner.get("place") == me["place"]:
        if _started(int(owner["pid"])) != owner["started"]:
            return ""
    elif (silent := _now(path.parent) - _seen(path)) > DEAD:
        return ""
    else:
        host = owner.get("host", "another machine")
        return f"process {owner.get('pid', '?')} on {host} (seen {max(silent, 0):.0f} s ago)"
    return f"process {owner['pid']} on this machine"


def _me() -> dict[str, Any]:
    host = socket.gethostname()
    place = [host]
    with contextlib.suppress(OSError):
        place += [
            Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            str(Path("/proc/self/ns/pid").readlink()),
        ]
    return {"host": host, "place": " ".join(place), "pid": os.getpid(), "started": _started(os.getpid())}


def _started(pid: int) -> str:
    """Return when a process began, in ticks of the kernel; nothing if there is none. A number may be used again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except OSError:
        pass
    if Path("/proc/self/stat").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "there"
    return "there"


def _seen(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _now(folder: Path) -> float:
    """Return the time by the clock of the file system, which machines share."""
    probe = folder / f".now.{uuid.uuid4().hex}"
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
