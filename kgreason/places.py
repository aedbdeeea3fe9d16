"""Where files live: what ships with the package, the user's data, the cache.

Nothing here is created by asking for its path.
"""

import os
import sysconfig
from pathlib import Path

from kgreason.errors import DataError

_ROOT = Path(__file__).resolve().parents[1]


def shipped(folder: str) -> Path:
    """Return a folder that ships beside the package: `graphs`, `datasets` or `experiments`.

    In a checkout it is the folder at the top; in an installed wheel it is `share/kgreason/<folder>`.
    """
    if (_ROOT / "pyproject.toml").is_file():
        return _ROOT / folder
    return Path(sysconfig.get_path("data")) / "share" / "kgreason" / folder


def data_folder() -> Path:
    """Return the folder with real data sets: the environment variable `KGREASON_DATA`.

    Raises:
        DataError: If the variable is not set or names no folder.
    """
    named = os.environ.get("KGREASON_DATA", "")
    if not named:
        raise DataError(
            "The environment variable KGREASON_DATA is not set; it names the folder that holds the data sets. "
            "Get one with: kgreason data fetch NAME --out FOLDER, then: export KGREASON_DATA=FOLDER"
        )
    if not Path(named).is_dir():
        raise DataError(f"KGREASON_DATA names '{named}', which is not a folder. Point it to the data sets.")
    return Path(named)


def cache_folder() -> Path:
    """Return the folder for what can be made again: `KGREASON_CACHE`, else `$XDG_CACHE_HOME/kgreason`."""
    named = os.environ.get("KGREASON_CACHE", "")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache") / "kgreason"
