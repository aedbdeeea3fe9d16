"""All packages that are installed, as a file that pip takes."""

import json
import platform
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from typing import Protocol, runtime_checkable

_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:==| @ )(\S+)")
#: What stands before a package that pip cannot fetch, so that the file can still be used and nothing is lost.
_LOCAL = "# from a folder of this machine: "


def lock(installed: Iterable[Distribution] | None = None) -> str:
    """Return every installed package with its exact version, one a line, as a requirements file.

    A package that was installed from a folder (a checkout, say) stands in a comment: pip could not fetch it. One that
    came from a URL or a repository is pinned to that.

    Args:
        installed: Which; None for all that this Python finds.
    """
    lines: dict[str, str] = {}
    for found in distributions() if installed is None else installed:
        name = found.metadata["Name"]
        if name and _key(name) not in lines:  # the first on the path is the one that is imported
            lines[_key(name)] = _line(name, found)
    head = [
        f"# All packages that were installed when this run began. Python {platform.python_version()}.",
        "# To install the same: pip install --no-deps -r requirements.lock",
    ]
    for name, line in lines.items():
        if name == "torch" and "+" in line:  # builds such as 2.9.0+cpu are not on PyPI
            build = line.partition("+")[2]
            head.append(f"--extra-index-url https://download.pytorch.org/whl/{build}")
    return "\n".join([*head, *(lines[key] for key in sorted(lines))]) + "\n"


def read_lock(text: str) -> dict[str, str]:
    r"""Return package to version (or where it is from) of what `lock` wrote; names as pip compares them.

    >>> read_lock("# from a folder of this machine: kgreason==0.1.0\nNumPy==2.1.0\n")
    {'kgreason': '0.1.0', 'numpy': '2.1.0'}
    """
    lines = (line.removeprefix(_LOCAL) for line in text.splitlines())
    pairs = (_REQUIREMENT.fullmatch(line) for line in lines)
    return {_key(pair[1]): pair[2] for pair in pairs if pair is not None}


@runtime_checkable
class _Installed(Protocol):
    """What tells of a package: Python's own record of it, or that of a backport that another package brings."""

    @property
    def version(self) -> str: ...

    def read_text(self, filename: str) -> str | None: ...


def _line(name: str, found: _Installed) -> str:
    plain = f"{name}=={found.version}"
    try:
        said = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return plain
    url = str(said.get("url", ""))
    if not url:
        return plain
    if url.startswith("file:"):
        return f"{_LOCAL}{plain}"
    if "vcs_info" in said:
        return f"{name} @ {said['vcs_info']['vcs']}+{url}@{said['vcs_info']['commit_id']}"
    return f"{name} @ {url}"


def _key(name: str) -> str:
    """Return a name as pip compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
