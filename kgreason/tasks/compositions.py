"""Tables of what two relations in a row come to, and what follows from facts by them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from kgreason.errors import DataError
from kgreason.tasks.manifest import open_manifest
from kgreason.tasks.rows import form_of, read_rows

Fact = tuple[str, str, str]
_COLUMNS = ("first", "second", "result")


@final
@dataclass(frozen=True, slots=True)
class Compositions:
    """What a relation followed by another may come to.

    Args:
        results: (first, second) to the relations that may hold from the one end to the other, the plainest first. A
            pair that is not there comes to nothing that has a name.
    """

    results: Mapping[tuple[str, str], tuple[str, ...]]

    def allows(self, first: str, second: str, result: str) -> bool:
        """Whether the table has `result` among what the two come to."""
        return result in self.results.get((first, second), ())

    def readings(self, facts: Iterable[Sequence[str]], query: Sequence[str]) -> set[str]:
        """Return all relations between two things that follow from facts, by the plainest result of each pair.

        Facts are composed in every order and along every path. More than one reading means that orders disagree: the
        facts leave it open.

        >>> table = Compositions({("wife", "son"): ("son",), ("son", "sister"): ("daughter",)})
        >>> facts = [("Al", "wife", "Bea"), ("Bea", "son", "Cid"), ("Cid", "sister", "Dot")]
        >>> table.readings(facts, ("Al", "Dot"))
        {'daughter'}
        """
        known: set[Fact] = set()
        out, into = defaultdict(set), defaultdict(set)
        agenda = [(head, relation, tail) for head, relation, tail in facts if head != tail]
        while agenda:
            head, relation, tail = agenda.pop()
            if (head, relation, tail) in known:
                continue
            known.add((head, relation, tail))
            out[head].add((relation, tail))
            into[tail].add((head, relation))
            agenda += [(head, r, end) for q, end in out[tail] if end != head for r in self._plain(relation, q)]
            agenda += [(start, r, tail) for start, p in into[head] if start != tail for r in self._plain(p, relation)]
        return {relation for head, relation, tail in known if (head, tail) == tuple(query)}

    def _plain(self, first: str, second: str) -> tuple[str, ...]:
        return self.results.get((first, second), ())[:1]


def read_compositions(name: str) -> Compositions:
    """Read a table with the columns `first`, `second` and `result`, several results parted by `|`.

    Args:
        name: A data set with one split, such as `kinship`; or a `.tsv`, `.csv` or `.jsonl` file.

    Raises:
        DataError: If there is none, or a row lacks a column or stands there twice.
    """
    path = Path(name)
    if path.is_file() and path.suffix != ".toml":
        form, file = form_of(path), path
    else:
        manifest = open_manifest(name)
        form, file = manifest.form, manifest.locate(str(next(iter(manifest.splits.values()))["file"]))
    results: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in read_rows(form, {"file": file}):
        cells = [str(row.fields.get(column) or "").strip() for column in _COLUMNS]
        if not all(cells):
            raise DataError(f"{row.place} lacks one of: {', '.join(_COLUMNS)}. It has: {', '.join(row.fields)}.")
        first, second, result = cells
        if (first, second) in results:
            raise DataError(f"{row.place}: '{first}' and '{second}' stand in the table twice.")
        results[first, second] = tuple(part.strip() for part in result.split("|"))
    return Compositions(results)
