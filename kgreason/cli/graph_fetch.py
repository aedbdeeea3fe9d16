"""Fetches a graph from an endpoint, so that it can be built like one of files."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from kgreason.cli.console import say
from kgreason.errors import ConfigError

if TYPE_CHECKING:
    from kgreason.knowledge.sparql_dump import Dump

_EVERY = 5.0


def endpoint_dump(files: list[str], out: Path | None) -> "Dump | None":
    """Return the dump of the endpoint that is to be built, begun beside the store; None for files.

    Raises:
        ConfigError: If there is no place for it, or it stands among other files.
    """
    from kgreason.knowledge.catalogue import is_remote, remote_of, table_of
    from kgreason.knowledge.sparql_dump import Dump

    if not any(file.startswith(("http://", "https://")) or file.endswith(".toml") for file in files):
        return None
    table = table_of(files[0]) if len(files) == 1 else {}
    remote = remote_of(table) if table and is_remote(table) else None
    if remote is None:
        if files[0].endswith(".toml"):
            return None
        raise ConfigError(f"{' '.join(files)}: give one endpoint alone.")
    if out is None:
        raise ConfigError(f"{files[0]} is fetched as a whole; say where the store goes: --out FOLDER")
    return Dump(remote, out.parent / f".{out.name}.dump")


def fetch(dump: "Dump") -> list[str]:
    """Fetch what is missing and return the files, telling how far it is.

    Raises:
        ConfigError: If there are no facts.
        StoreError: If the endpoint fails; what was fetched is kept.
    """
    begin, last = time.monotonic(), [time.monotonic()]
    facts: dict[str, int] = {}

    def tell(relation: str, so_far: int, whole: int) -> None:
        facts[relation] = so_far
        if time.monotonic() - last[0] > _EVERY:
            last[0] = time.monotonic()
            rate = sum(facts.values()) / (time.monotonic() - begin)
            say(f"{sum(facts.values()):,} facts and names, {rate:,.0f} a second; {relation}: {so_far:,} of {whole:,}")

    say(f"Fetching {dump.remote.endpoint} …")
    files = dump.fetch(tell)
    if not files:
        raise ConfigError(f"{dump.remote.endpoint} has no facts between entities.")
    return [str(file) for file in files]
