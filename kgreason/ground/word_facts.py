"""What words and concepts are to one another where no taxonomy tells: closed classes, opposites, function words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, final

from kgreason.data import UPOS, Entailment
from kgreason.errors import DataError
from kgreason.ground.genders import first_names
from kgreason.ground.term import Term
from kgreason.places import shipped

_RELATIONS = {symbol.symbol: symbol for symbol in Entailment}
_FLIPPED = {Entailment.FORWARD: Entailment.REVERSE, Entailment.REVERSE: Entailment.FORWARD}
_EVERY = (1 << len(UPOS)) - 1
_VERB, _X, _PROPN = (UPOS.id(pos) for pos in ("VERB", "X", "PROPN"))
#: Besides the parts of speech that a line names: names are nouns, and taggers call participles and adverbs adjectives.
_ALSO = {"NOUN": ("PROPN",), "NUM": ("ADJ",), "PRON": ("DET",)}
_PARTICIPLE = ("ADJ", "VERB")
#: Members that stand for all first names of a gender.
_NAMES = {"@men": "m", "@women": "f"}


class Fact(NamedTuple):
    """What a line says of two words: how the first is related to the second, how surely, and what the line is about."""

    relation: Entailment
    sure: float
    about: str


class _Place(NamedTuple):
    """Where a word stands in a line; `side` is -1 where the line has no sides."""

    side: int
    member: int


@final
@dataclass(frozen=True, slots=True)
class ConceptLine:
    """A line about concepts: what stands below two different members is exclusive.

    Args:
        sure: How sure that is.
        about: What the line is about.
        members: The names of the concepts of each member.
    """

    sure: float
    about: str
    members: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Line:
    relation: Entailment
    sure: float
    about: str
    pos: int
    named: bool


@final
class WordFacts:
    """Lines of facts about words, as in `graphs/english.tsv`, whose head describes the form.

    Args:
        lines: The lines of a file, or none.
        where: What to call the file in messages.

    Raises:
        DataError: If a line is broken; the message has its number.
    """

    def __init__(self, lines: Iterable[str] = (), where: str = "") -> None:
        self.concepts: list[ConceptLine] = []
        self.kinds: dict[str, tuple[float, str]] = {}
        self.edges: list[tuple[str, str]] = []
        self._lines: list[_Line] = []
        self._index: dict[str, list[tuple[int, _Place]]] = {}
        self._of: dict[Term, dict[int, _Place]] = {}
        self._words: dict[int, list[str]] = {}
        for number, line in enumerate(lines, start=1):
            if line.strip() and line.strip() != "#" and not line.startswith("# "):
                self._enter(line.rstrip("\n").split("\t"), f"{where}, line {number}")

    def _enter(self, fields: list[str], where: str) -> None:
        try:
            relation, pos, sure, about, members = fields
            much = float(sure)
            kinds = None if pos in ("*", "concept") else [UPOS.id(name) for name in pos.split(",")]
        except (ValueError, KeyError):
            raise DataError(
                f"{where}: expected five columns parted by tabs (relation, part of speech, sureness, what it is about, "
                f"members), found {len(fields)}: {fields[:3]}."
            ) from None
        if relation not in _RELATIONS and relation != "kind":
            raise DataError(f"{where}: '{relation}' is no relation. Known: {' '.join(_RELATIONS)} and kind.")
        sides = [[form for member in side.split(";") for form in _members(member)] for side in members.split(" / ")]
        if relation == "kind":
            self.kinds |= {form: (much, about) for side in sides for forms in side for form in forms}
        elif pos == "concept" and relation == Entailment.FORWARD.symbol and len(sides) == 2:
            low, high = (sum(side, ()) for side in sides)
            self.edges += [(a, b) for a in low for b in high if a != b]
        elif pos == "concept":
            groups = [sum(side, ()) for side in sides] if len(sides) == 2 else sides[0]
            self.concepts.append(ConceptLine(much, about, tuple(groups)))
        else:
            mask = _EVERY if kinds is None else _mask(kinds)
            self._lines.append(_Line(_RELATIONS[relation], much, about, mask, members.startswith(tuple(_NAMES))))
            self._enter_words(sides)

    def _enter_words(self, sides: list[list[tuple[str, ...]]]) -> None:
        for s, side in enumerate(sides):
            for m, forms in enumerate(side):
                place = _Place(s if len(sides) == 2 else -1, m)
                for form in forms:
                    self._index.setdefault(form.lower(), []).append((len(self._lines) - 1, place))

    def places(self) -> dict[str, list[int]]:
        """Return the lines that each word stands in, once for each place."""
        return {word: [line for line, _ in rows] for word, rows in self._index.items()}

    def of(self, term: Term) -> dict[int, _Place]:
        """Return the lines that know a term, in order, and where it stands in each; remembered."""
        found = self._of.get(term)
        if found is None:
            rows = sorted(self._look_up(term))
            found = {}
            for line, place in rows:
                found.setdefault(line, place)
            if len(self._of) > 200_000:
                self._of.clear()
            self._of[term] = found
        return found

    def _look_up(self, term: Term) -> Iterator[tuple[int, _Place]]:
        text = term.text.lower().replace("’", "'")
        bit = _EVERY if term.pos < 0 or term.pos == _X else 1 << term.pos
        as_written = bit | (_mask([UPOS.id(pos) for pos in _PARTICIPLE]) if term.pos == _VERB else 0)
        for form, accepted in ((text, as_written), (term.lemma, bit)):
            for line, place in self._index.get(form, ()):
                named = self._lines[line].named and place.side == 0
                if self._lines[line].pos & accepted and (not named or term.pos == _PROPN):
                    yield line, place

    def beside(self, term: Term) -> tuple[str, ...]:
        """Return the words of all lines that know a term, but for itself."""
        if not self._words:
            for word, places in self._index.items():
                for line, _ in places:
                    if not self._lines[line].named:  # first names are no list of what may stand beside each other
                        self._words.setdefault(line, []).append(word)
        own = {term.text.lower(), term.lemma}
        return tuple(dict.fromkeys(w for line in self.of(term) for w in self._words.get(line, ()) if w not in own))

    def between(self, first: Term, second: Term) -> Fact | None:
        """Return what the first line that knows both terms says of them."""
        here, there = self.of(first), self.of(second)
        for line, place in here.items():
            other = there.get(line)
            if other is None:
                continue
            relation = _related(self._lines[line].relation, place, other)
            if relation is not None:
                return Fact(relation, self._lines[line].sure, self._lines[line].about)
        return None


def _related(relation: Entailment, place: _Place, other: _Place) -> Entailment | None:
    if place.side < 0:
        return Entailment.EQUIVALENCE if place == other else relation
    if place.side == other.side:
        # forms of one member of a pair of opposites; elsewhere a member may be a mere list
        same = relation == Entailment.NEGATION and place.member == other.member
        return Entailment.EQUIVALENCE if same else None
    return relation if place.side == 0 else _FLIPPED.get(relation, relation)


def _members(member: str) -> Iterator[tuple[str, ...]]:
    """Return the forms of a member; of `@men` and `@women` all first names in the table of names."""
    gender = _NAMES.get(member.strip(), "")
    if gender:
        yield from ((name,) for name in first_names().of(gender))
    else:
        yield _forms(member)


def _forms(member: str) -> tuple[str, ...]:
    return tuple(form.strip() for form in member.split(" = ") if form.strip())


def _mask(kinds: Iterable[int]) -> int:
    names = [UPOS[k] for k in kinds]
    every = {*names, *(also for name in names for also in _ALSO.get(name, ()))}
    return sum(1 << UPOS.id(name) for name in every)


@cache
def word_facts(name: str) -> WordFacts:
    """Return facts about words, read once.

    Args:
        name: `english`: what ships with the package, `graphs/english.tsv`; `none`: no facts; else the path of a file.

    Raises:
        DataError: If the file is missing or a line is broken.
    """
    if name == "none":
        return WordFacts()
    path = shipped("graphs") / "english.tsv" if name == "english" else Path(name)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read: {error}. Name 'english', 'none' or a file of facts about words."
        ) from None
    return WordFacts(lines, str(path))
