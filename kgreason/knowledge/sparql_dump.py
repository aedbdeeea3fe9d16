"""Fetches a whole graph from an endpoint, page by page, as files of N-Triples from which a store is built."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias, final

from kgreason.errors import ConfigError, StoreError
from kgreason.knowledge.sparql import RemoteGraph
from kgreason.knowledge.sparql_client import Row, TooMuchError
from kgreason.knowledge.sparql_terms import Term, iri, is_iri, literal, ntriple
from kgreason.whole import write_whole

_LOG = logging.getLogger(__name__)
#: Rows of a page: at first, and when a page is too much.
PAGE, LEAST = 10_000, 500
#: Called with what is fetched, how many facts of it there are so far, and how many there will be (0: not known).
Told: TypeAlias = Callable[[str, int, int], None]


@final
@dataclass(frozen=True, slots=True)
class _State:
    """How far one relation is: pages written, facts in them, the last row, and whether there are no more."""

    relation: str
    pages: int = 0
    facts: int = 0
    last: tuple[str, str] | None = None
    size: int = PAGE
    done: bool = False


@final
class Dump:
    """Fetches the facts of each relation between entities, and the names of all.

    The facts of a relation come in the order of head and tail, as texts; each page begins with the last row of the one
    before, so that it does not matter if facts are added meanwhile, nor where a server cuts an answer off: a relation
    is done when a page brings nothing new. What was fetched is kept, so that a dump that was stopped goes on with the
    next page. Blank nodes, which have no name at an endpoint, are left out, and so are IRIs that no RDF file may hold.

    A page costs the server a look at the whole relation: one of $n$ facts takes time in $n^2 / 10,000$. From some
    millions on, ask its owner for the files that it was loaded from.

    Args:
        remote: The endpoint, with the relations that its rules leave.
        folder: Where the files go. One that was begun for another endpoint, or other relations, is refused.
        page: How many rows to ask for at once; fewer where that is too much.

    Raises:
        ConfigError: If `page` is less than 8: a page begins with what the one before ended with.
    """

    def __init__(self, remote: RemoteGraph, folder: Path, page: int = PAGE) -> None:
        if page < 8:
            raise ConfigError(f"A dump was asked for in pages of {page} rows; expected at least 8.")
        self.remote, self.folder, self.page = remote, folder, page

    def fetch(self, tell: Told = lambda *_: None) -> list[Path]:
        """Fetch what is not there yet, and return all files.

        Raises:
            StoreError: If the endpoint fails (what was fetched is kept), or the folder holds another dump.
        """
        counts = self.remote.relations()
        naming = [(name, False) for name in self.remote.names.naming.relations]
        jobs = [*((name, True) for name in counts), *naming]
        self._claim()

        def one(job: tuple[int, tuple[str, bool]]) -> None:
            number, (relation, between) = job
            self._relation(number, relation, between, lambda facts: tell(relation, facts, counts.get(relation, 0)))

        workers = ThreadPoolExecutor(max(1, self.remote.client.access.parallel))
        try:
            list(workers.map(one, enumerate(jobs)))
        finally:
            workers.shutdown(wait=True, cancel_futures=True)
        return sorted(self.folder.glob("*.nt"))

    def remove(self) -> None:
        """Remove the files of the dump, and the folder if nothing else is in it."""
        for path in (*self.folder.glob("*.nt"), *self.folder.glob("*.state"), self.folder / "dump.json"):
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _claim(self) -> None:
        """Say whose dump this is; refuse a folder that holds another one."""
        mine = {"endpoint": self.remote.endpoint, "graph": self.remote.graph, "rules": _digest(self.remote)}
        note = self.folder / "dump.json"
        try:
            found = json.loads(note.read_bytes())
        except FileNotFoundError:
            write_whole(note, json.dumps(mine, indent=1).encode())
            return
        except ValueError:
            found = None
        if found != mine:
            raise StoreError(f"{self.folder} holds a dump of something else. Remove it, or choose another folder.")

    def _relation(self, number: int, relation: str, between: bool, tell: Callable[[int], None]) -> None:
        state = self._state(number, relation)
        while not state.done:
            try:
                rows = self.remote.client.select(self._question(state, between))
            except TooMuchError:
                if state.size <= LEAST:
                    raise
                state = replace(state, size=max(LEAST, state.size // 4))
                _LOG.info("%s: pages of %d rows for %s", self.remote.endpoint, state.size, relation)
                continue
            state = self._keep(number, state, rows)
            tell(state.facts)

    def _keep(self, number: int, state: _State, rows: Sequence[Row]) -> _State:
        """Write a page, then how far the relation is: in this order, a page may be written twice, and is never lost."""
        pairs = [(row[0], row[1]) for row in rows if row[0] is not None and row[1] is not None]
        fresh = [(head, tail) for head, tail in pairs if (head.value, tail.value) != state.last]
        again = [(head, tail) for head, tail in pairs if (head.value, tail.value) == state.last]
        if not fresh:
            done = replace(state, done=True)
            if len(again) > 1:  # one name in several languages, cut apart by the end of the page before
                write_whole(
                    self.folder / f"{number:05}-{state.pages:06}.nt", "".join(_lines(state.relation, again)).encode()
                )
        else:
            last = fresh[-1][0].value, fresh[-1][1].value
            done = replace(state, pages=state.pages + 1, facts=state.facts + len(fresh), last=last)
            content = "".join(_lines(state.relation, [*again, *fresh])).encode()
            write_whole(self.folder / f"{number:05}-{state.pages:06}.nt", content)
        write_whole(self._note(number), json.dumps(asdict(done)).encode())
        return done

    def _question(self, state: _State, between: bool) -> str:
        after = ""
        if state.last is not None:
            head, tail = map(literal, state.last)
            after = f"FILTER(STR(?s) > {head} || (STR(?s) = {head} && STR(?o) >= {tail}))"
        kind = "FILTER(isIRI(?o))" if between else f"FILTER(isLiteral(?o)) {self._language()}"
        inside = f"?s {iri(state.relation)} ?o . FILTER(isIRI(?s)) {kind} {after}"
        if not self.remote.graph:  # all named graphs may be one, with the same fact in several of them
            inside = f"{{ SELECT DISTINCT ?s ?o WHERE {{ {inside} }} }}"
        return f"SELECT ?s ?o WHERE {{ {inside} }} ORDER BY STR(?s) STR(?o) LIMIT {state.size}"

    def _language(self) -> str:
        tag = self.remote.names.naming.language
        return f'FILTER(LANG(?o) = "" || LANGMATCHES(LANG(?o), {literal(tag)}))' if tag else ""

    def _state(self, number: int, relation: str) -> _State:
        try:
            found = json.loads(self._note(number).read_bytes())
            state = _State(**found | {"last": tuple(found["last"]) if found["last"] else None})
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return _State(relation, size=self.page)
        return state if state.relation == relation else _State(relation, size=self.page)

    def _note(self, number: int) -> Path:
        return self.folder / f"{number:05}.state"


def _lines(relation: str, rows: Sequence[tuple[Term, Term]]) -> Iterator[str]:
    for head, tail in rows:
        if is_iri(head.value) and (tail.kind == "literal" or is_iri(tail.value)) and "\0" not in tail.value:
            yield ntriple(head.value, relation, tail)


def _digest(remote: RemoteGraph) -> str:
    naming = remote.names.naming
    said = [sorted(remote.rules.only), sorted(remote.rules.stop), naming.relations, naming.language]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
