"""The state of the code that ran: the commit of a checkout, and what was changed in it since."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import final

import kgreason

#: What can change a number, of what stands in a checkout.
_PARTS = ("kgreason", "graphs", "datasets")
#: More untracked files than this are listed by a hash of their names alone.
_UNTRACKED = 200


@final
@dataclass(frozen=True, slots=True)
class Checkout:
    """Where the code stood.

    Args:
        commit: In full; empty outside of a checkout.
        sha256: Of `diff`; empty if nothing was changed.
        diff: What was changed since the commit in `kgreason`, `graphs` and `datasets`, new files included: a patch that
            `git apply` takes.
    """

    commit: str = ""
    sha256: str = ""
    diff: bytes = b""


def read_checkout(root: Path | None = None) -> Checkout:
    """Return the state of the checkout that is running, or an empty one where kgreason was installed.

    Args:
        root: Another checkout.
    """
    root = root or Path(kgreason.__file__).parents[1]
    if not (root / ".git").exists():
        return Checkout()
    commit = _git(root, "rev-parse", "HEAD").decode().strip()
    if not commit:
        return Checkout()
    diff = _git(root, "diff", "HEAD", "--binary", "--no-color", "--no-ext-diff", "--", *_PARTS)
    names = _git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *_PARTS).split(b"\0")
    new = [name.decode("utf-8", "surrogateescape") for name in names if name]
    for name in new[:_UNTRACKED]:
        diff += _git(root, "diff", "--binary", "--no-color", "--no-ext-diff", "--no-index", "--", "/dev/null", name)
    diff += "".join(f"# also new: {name}\n" for name in new[_UNTRACKED:]).encode("utf-8", "surrogateescape")
    return Checkout(commit, hashlib.sha256(diff).hexdigest() if diff else "", diff)


def _git(root: Path, *words: str) -> bytes:
    """Return what git says; nothing if it cannot be asked."""
    try:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, timeout=30, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return b""
