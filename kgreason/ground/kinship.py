"""Reads off a story in English who is whose kin: the graph that comes from the text itself."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from kgreason.data import KnowledgeGraph, LogicGraph
from kgreason.errors import ConfigError, DataError
from kgreason.ground.agree import agree
from kgreason.ground.chain import MOST, best_chain
from kgreason.ground.genders import genders, log_odds
from kgreason.ground.kinpatterns import made_up
from kgreason.ground.kinwords import INVERSE, NAMES, NUMBER, RELATIONS, Kin
from kgreason.ground.people import Cast, add_people, add_statements, cast_of, find_people
from kgreason.ground.reader import Reader, lessons_of, vocabulary
from kgreason.ground.signs import Candidate, Scene, candidates
from kgreason.ground.tales import Right, tale_of
from kgreason.ground.told import Told

if TYPE_CHECKING:
    from kgreason.ground.pairs import PairReader

Fact = tuple[str, str, str]
Statements = dict[tuple[str, Kin, str], float]
_NAMES = tuple(NAMES.values())
#: Share of the names that are judged by their endings alone while a reader learns, as names it does not know will be.
_UNKNOWN = 0.2
#: What a statement about someone's gender counts, as log odds.
_STATED = 4.0
#: Without a chain, statements less sure than this are left out.
_DOUBTFUL = 0.02


@final
class KinshipGrounder:
    r"""Finds who is whose kin in a story, by a small reader that has learned from stories whose facts are known.

    Words for kin, people and the dependency graph give statements that could be meant ("the sister at word 3 is
    Dorothy, and she is Michael's"), each with signs: how the words hang together, whom a pronoun may mean, how names
    and genders agree. The reader says how sure each is (see `Reader`). Each makes an edge both ways, shared out over
    the genders that a word leaves open: by names, and by what else is stated of the person.

    With `language` a second reader, a language model that is tuned on the same stories, says how sure each relation is
    between any two people, whatever words say so (`pairs.PairReader`); `agree` says what both come to.

    A story is taken to lead from the one of the two that are asked about to the other: of all chains the one with the
    greatest $\prod_i p_i / \beta$ is kept, and the rest is left out. Where nothing is asked, nothing is read.

    Args:
        chain: $\beta$; the smaller, the more people a chain goes through. 0: no chain, all statements are kept.
        least: The least $p$ of a step of a chain.
        epochs: How often the reader reads its lessons.
        rate: Its rate of learning.
        seed: Of all that is drawn while it learns.
        language: The language model of the second reader (`minilm`); empty: there is none.
        passes: How often that reader reads all wordings of its lessons; one takes a minute of one core for ten thousand
            stories of CLUTRR.
        patterns: How many stories that are made from patterns of our own (`kinpatterns`) that reader reads for one
            of its lessons; each pass has other ones.

    Raises:
        ConfigError: If a number makes no sense; when it reads: if it has not learned to.
        MissingExtraError: When it learns: if the language model's package is not installed.
        DataError: If the knowledge graph has none of the relations.
    """

    def __init__(
        self,
        chain: float = 0.8,
        least: float = 0.003,
        epochs: int = 5,
        rate: float = 0.002,
        seed: int = 0,
        language: str = "",
        passes: int = 10,
        patterns: float = 0.8,
    ) -> None:
        if not 0 <= chain <= 1 or not 0 < least < 1 or min(epochs, passes) < 1 or rate <= 0 or patterns < 0:
            raise ConfigError(
                f"[ground] kinship: chain = {chain}, least = {least}, epochs = {epochs}, rate = {rate}, passes = "
                f"{passes}, patterns = {patterns}; expected chain and least between 0 and 1, epochs and passes at "
                "least 1, patterns 0 or more, and rate above 0."
            )
        self.chain, self.least, self.epochs, self.rate, self.seed = chain, least, epochs, rate, seed
        self.language, self.passes, self.patterns = language, passes, patterns
        self.reader: Reader | None = None
        self.pairs: PairReader | None = None

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        ids = {name: knowledge.relations.id(name) for name in _NAMES if name in knowledge.relations}
        out = list(graphs)
        casts = [_cast(graph) for graph in graphs]
        asked = [i for i, cast in enumerate(casts) if cast.asked is not None]
        if asked and not ids:
            raise DataError(
                "[ground] kinship: the knowledge graph has no relation of kin; take: knowledge = 'kinship'."
            )
        believed = self._believe([graphs[i] for i in asked], [casts[i] for i in asked])
        for i, (people, sure) in zip(asked, believed, strict=True):
            out[i] = self._ground(graphs[i], casts[i], people, sure, ids)
        return out

    def learn(
        self,
        graphs: Sequence[LogicGraph],
        stated: Sequence[Sequence[Fact]],
        teach: Callable[..., Mapping[str, Any]],
    ) -> None:
        """Learn to read from parsed stories and what they say.

        Args:
            graphs: Stories as the parser gives them.
            stated: What each says, as (head, relation, tail).
            teach: `kgreason.train.reader.teach_reader`; the room itself knows no torch.
        """
        draw = np.random.default_rng(self.seed)
        signs, groups, right, numbers, tales = [], [], [], dict[tuple[int, int, str], int](), []
        for k, (graph, facts) in enumerate(zip(graphs, stated, strict=True)):
            told = Told.of(graph, cast_of(graph))
            hidden = [name for name in told.names if draw.random() < _UNKNOWN]
            gold = {(head, tail): relation for head, relation, tail in facts if relation in RELATIONS}
            called = _called(told.names, gold)
            tales.append((tale_of(told), _right(told.names, gold)))
            for found in candidates(Scene.of(told, genders(told, hidden))):
                signs.append(found.signs)
                groups.append(numbers.setdefault((k, found.word, found.tail), len(numbers)))
                right.append(_says(found, gold, called))
        if not any(right):
            raise DataError("no story says anything of kin that can be learned from; give 'facts' beside each 'story'.")
        known = vocabulary(signs)
        lessons = lessons_of(signs, groups, known, right)
        tables = teach(lessons, len(known), epochs=self.epochs, rate=self.rate, seed=self.seed)
        self.reader = Reader(tuple(known), **tables)
        if self.language:
            from kgreason.ground.pairs import PairReader

            self.pairs = PairReader(_NAMES, self.language, self.seed)
            self.pairs.learn(tales, self.passes, made_up, self.patterns)

    def read(self, graph: LogicGraph) -> Statements:
        """Return what a parsed story says by its signs: (head, kin, tail) and how sure that is.

        Raises:
            ConfigError: If it has not learned to read.
        """
        return self._read(Told.of(graph, _cast(graph)))

    def _read(self, told: Told) -> Statements:
        if self.reader is None:
            raise ConfigError(
                "[ground] kinship has not learned to read yet: it learns from the train split of a run. Use the folder "
                "of one, made with: kgreason run experiments/clutrr/k23-text.toml"
            )
        found = list(candidates(Scene.of(told)))
        numbers: dict[tuple[int, str], int] = {}
        groups = [numbers.setdefault((c.word, c.tail), len(numbers)) for c in found]
        sure = self.reader.probability(lessons_of([c.signs for c in found], groups, self.reader.known))
        best: Statements = {}
        for candidate, p in zip(found, sure.tolist(), strict=True):
            key = (candidate.head, candidate.kin, candidate.tail)
            best[key] = max(best.get(key, 0.0), p)
        return best

    def believe(
        self, graphs: Sequence[LogicGraph]
    ) -> list[tuple[tuple[str, ...], Float64[ndarray, "people people relations"]]]:
        """Return the people of parsed stories, and how sure each relation (`NAMES`) is between them, by all readers.

        Raises:
            ConfigError: If it has not learned to read.
        """
        return self._believe(graphs, [_cast(graph) for graph in graphs])

    def _believe(
        self, graphs: Sequence[LogicGraph], casts: Sequence[Cast]
    ) -> list[tuple[tuple[str, ...], Float64[ndarray, "people people relations"]]]:
        told = [Told.of(graph, cast) for graph, cast in zip(graphs, casts, strict=True)]
        cast_of_each = [tuple(dict.fromkeys([*t.names, *(c.asked or ())])) for t, c in zip(told, casts, strict=True)]
        sure = [self._chart(self._read(t), people) for t, people in zip(told, cast_of_each, strict=True)]
        if self.language:
            if self.pairs is None:
                raise ConfigError(
                    f"[ground] kinship: the reader with language = '{self.language}' has not learned yet."
                )
            likely = self.pairs.read([tale_of(t) for t in told])
            sure = [
                agree(chart, _widened(p, len(chart)), np.array([log_odds(name) for name in people]))
                for chart, p, people in zip(sure, likely, cast_of_each, strict=True)
            ]
        return list(zip(cast_of_each, sure, strict=True))

    def _ground(
        self, graph: LogicGraph, cast: Cast, people: Sequence[str], sure: ndarray, ids: Mapping[str, int]
    ) -> LogicGraph:
        if self.chain and len(people) <= MOST and cast.asked is not None:
            sure = self._on_chain(sure, *(people.index(name) for name in cast.asked))
        grown, nodes = add_people(graph, cast)
        floor = 0.0 if self.chain else _DOUBTFUL
        facts = [
            (people[x], ids[_NAMES[r]], people[z], float(sure[x, z, r]))
            for x, z, r in np.argwhere(sure > floor).tolist()
            if _NAMES[r] in ids
        ]
        return add_statements(grown, nodes, facts)

    def _chart(self, said: Statements, people: Sequence[str]) -> Float64[ndarray, "people people relations"]:
        """Share statements out over the relations of a gender, both ways."""
        place, least = {name: i for i, name in enumerate(people)}, self.least if self.chain else _DOUBTFUL
        female = _genders(said, people)
        sure = np.zeros((len(people), len(people), len(_NAMES)))
        for (head, kin, tail), p in said.items():
            for gender in "mf" if p >= least else "":
                is_so = float(gender == kin.gender) if kin.gender else _share(female[tail], gender)
                x, z = place[head], place[tail]
                r, back = (_NAMES.index(NAMES[Kin(kind, gender)]) for kind in (kin.kind, INVERSE[kin.kind]))
                sure[x, z, r] = max(sure[x, z, r], p * is_so)
                sure[z, x, back] = max(sure[z, x, back], p * _share(female[head], gender))
        return sure

    def _on_chain(self, sure: ndarray, start: int, end: int) -> Float64[ndarray, "people people relations"]:
        """Leave the likeliest chain alone; the relations of each step come to 1."""
        with np.errstate(divide="ignore"):
            step = sure.sum(-1) if self.language else sure.max(-1)
            way = best_chain(np.log(np.where(step < self.least, 0.0, step)) - math.log(self.chain), start, end)
        kept = np.zeros_like(sure)
        for x, z in pairwise(way):
            kept[x, z] = sure[x, z] / sure[x, z].sum()
        return kept


def _cast(graph: LogicGraph) -> Cast:
    """Return whom a story names; where only those of the question are marked, others are looked for."""
    cast = cast_of(graph)
    return find_people(graph, cast) if cast.asked and len(set(cast.names)) <= 2 else cast


def _says(found: Candidate, gold: Mapping[tuple[str, str], str], called: Mapping[str, str]) -> bool:
    """Whether a story says what a candidate says, or the same the other way round of someone of that gender."""
    there, back = gold.get((found.head, found.tail), ""), gold.get((found.tail, found.head), "")
    kind = RELATIONS[there].kind if there else INVERSE[RELATIONS[back].kind] if back else ""
    return kind == found.kin.kind and found.kin.gender in ("", called[found.tail])


def _right(people: Sequence[str], gold: Mapping[tuple[str, str], str]) -> Right:
    """Return the relations that facts state between people, both ways; both genders of whom no fact tells."""
    number, called = {name: i for i, name in enumerate(people)}, {t: RELATIONS[r].gender for (_, t), r in gold.items()}
    found: dict[tuple[int, int], tuple[int, ...]] = {}
    for (head, tail), relation in gold.items():
        if head in number and tail in number:
            back = INVERSE[RELATIONS[relation].kind]
            both = (Kin(back, gender) for gender in called.get(head, "mf"))
            found[number[head], number[tail]] = (NUMBER[RELATIONS[relation]],)
            found.setdefault((number[tail], number[head]), tuple(NUMBER[kin] for kin in both))
    return found


def _widened(likely: ndarray, people: int) -> Float64[ndarray, "people people classes"]:
    """Return probabilities for all who are asked about; those whom the story does not name have no relation."""
    wide = np.zeros((people, people, likely.shape[-1]))
    wide[..., 0] = 1.0
    wide[: len(likely), : len(likely)] = likely
    return wide


def _called(people: Sequence[str], gold: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Return the gender of everyone: as facts call them, or else as their names have it."""
    called = {name: "f" if log_odds(name) > 0 else "m" for name in people}
    return called | {tail: RELATIONS[relation].gender for (_, tail), relation in gold.items()}


def _genders(said: Statements, people: Sequence[str]) -> dict[str, float]:
    odds = {name: log_odds(name) for name in people}
    for (_, kin, tail), p in said.items():
        if kin.gender and p > 0.5:
            odds[tail] += _STATED * p * (1 if kin.gender == "f" else -1)
    return {name: 1 / (1 + math.exp(-value)) for name, value in odds.items()}


def _share(female: float, gender: str) -> float:
    return female if gender == "f" else 1 - female
