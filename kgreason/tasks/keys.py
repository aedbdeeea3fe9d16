"""Tables inside the section `[task]`: their keys, checked."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from kgreason.errors import ConfigError, near


def check_keys(place: str, table: Iterable[str], known: Collection[str]) -> None:
    """Check that a table has no key but those that are known.

    Args:
        place: Where it stands, for the message: `[task] spoil`.
        table: The table, or its keys.
        known: The keys that it may have.

    Raises:
        ConfigError: Names the first key that does not exist, the nearest one that does, and all.
    """
    for key in table:
        if key not in known:
            raise ConfigError(f"{place} has no '{key}'.{near(key, known)} It has: {', '.join(known)}.")


def table_of_how(
    place: str, given: str | Mapping[str, Any], known: Collection[str], ways: Collection[str]
) -> dict[str, Any]:
    """Read a key that says how something is done: the name of a way alone, or a table of it and its arguments.

    Args:
        place: Where it stands, for messages.
        given: What the file says.
        known: The keys of such a table; `how` is one of them.
        ways: The names that `how` may be.

    Raises:
        ConfigError: If a key does not exist, or `how` is missing.
    """
    table = {"how": given} if isinstance(given, str) else dict(given)
    check_keys(place, table, known)
    if "how" not in table:
        raise ConfigError(f"{place} says not how. Known: {', '.join(ways)}.")
    return table
