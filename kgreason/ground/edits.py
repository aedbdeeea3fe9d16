"""Finds the edits that lead from a premise to a hypothesis."""

import dataclasses
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, final

import numpy as np

from kgreason.data import KnowledgeGraph, LogicGraph, NodeType
from kgreason.data.edits import EditKind, Edits, no_edits
from kgreason.data.entailment import COMPOSE, Entailment, signature
from kgreason.errors import ConfigError
from kgreason.ground.align import AlignGrounder
from kgreason.ground.changes import changes
from kgreason.ground.changing import Change
from kgreason.ground.containers import Containers
from kgreason.ground.course import side_by_side
from kgreason.ground.matching import Beside, Reading, match
from kgreason.ground.modifiers import removed
from kgreason.ground.naming import NOTHING
from kgreason.ground.natural import NaturalRelations
from kgreason.ground.pairing import Pairing
from kgreason.ground.roles import edges_of
from kgreason.ground.terms import Known, Terms
from kgreason.ground.trees import Unit, read_units
from kgreason.ground.units import Lexicon

_VIEWS: Final = ("specific", "existential")
_ORDER: Final = {
    EditKind.DELETE: 0,
    EditKind.REORDER: 1,
    EditKind.SUBSTITUTE: 2,
    EditKind.INSERT: 3,
    EditKind.OPERATOR: 4,
}
#: How the noun that a pronoun hides is quantified.
_HIDDEN: Final = {"no": signature("no"), "every": signature("every, restrictor")}


@final
class EditsGrounder:
    """Aligns a hypothesis with its premise over their dependency trees, and writes down the edits between them.

    Args:
        reading: `specific`: "a man" is a particular man, and both texts speak of one scene, so words that exclude each
            other make statements that do. `existential`: "a man" is some man or other, and they do not.
        max_senses: How many senses of a word are looked at, the likeliest first.
        word_facts: What is known of words beside the graph: `english`, what ships with the package, in
            `graphs/english.tsv`; `none`, as a control.

    Raises:
        ConfigError: If there is no such reading, or there are no such facts.
    """

    def __init__(self, reading: str = "specific", max_senses: int = 8, word_facts: str = "english") -> None:
        if reading not in _VIEWS:
            raise ConfigError(f"[ground] edits: reading = '{reading}'; expected {' or '.join(_VIEWS)}.")
        self.reading, self.max_senses, self.word_facts = reading, max_senses, word_facts
        self._align = AlignGrounder(max_senses, word_facts=word_facts)
        self._asked: tuple[KnowledgeGraph, NaturalRelations, Lexicon, Containers] | None = None

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        aligned = self._align(graphs, knowledge)
        natural, lexicon, containers = self._sources(knowledge)
        terms = Terms()
        pairs = [self._read(graph, lexicon) for graph in graphs]
        rows = [(terms.add(p.units), terms.add(h.units)) for p, h in pairs]
        terms.ask(natural, rows)
        return [
            replace(graph, edits=self._edits(graph, *texts, terms.between(*ids), containers))
            for graph, texts, ids in zip(aligned, pairs, rows, strict=True)
        ]

    def _sources(self, knowledge: KnowledgeGraph) -> tuple[NaturalRelations, Lexicon, Containers]:
        """Return what is asked about words; all remember what they were asked."""
        if self._asked is None or self._asked[0] is not knowledge:
            lexicon = Lexicon(knowledge, self.max_senses, self.word_facts)
            natural = NaturalRelations(knowledge, facts=self.word_facts)
            self._asked = knowledge, natural, lexicon, Containers(knowledge)
        return self._asked[1:]

    def _read(self, graph: LogicGraph, lexicon: Lexicon) -> tuple[Reading, Reading]:
        last = int(graph.node_span[:, 0].max(initial=0))
        units = [read_units(graph, text, lexicon) if text or last else [] for text in (0, last)]
        return Reading(units[0], edges_of(units[0])), Reading(units[1], edges_of(units[1]))

    def _edits(
        self, graph: LogicGraph, premise: Reading, hypothesis: Reading, known: Known, containers: Containers
    ) -> Edits:
        if not hypothesis.units and not (graph.node_span[:, 0] > 0).any():
            return no_edits()  # there is no second text
        beside = _beside(graph, premise, hypothesis)
        back = match(premise, hypothesis, known, beside)
        found = changes(Pairing(premise, hypothesis, known, beside, back))
        found = containers.judge(found, premise.units, hypothesis.units)
        if self.reading == "existential":
            found = [_existential(change) for change in found]
        if not found and not (premise.units and hypothesis.units):
            found = [Change(EditKind.INSERT, -1, -1, NOTHING, "nothing to compare")]
        return _written(graph, premise, hypothesis, back, found)


def _beside(graph: LogicGraph, premise: Reading, hypothesis: Reading) -> Beside:
    """Run the two texts alongside each other, word for word."""
    if not premise.units or not hypothesis.units:
        return Beside(frozenset(), 0.0)
    words = np.flatnonzero(graph.node_type == NodeType.WORD)
    text = graph.node_span[words, 0]
    number: dict[str, int] = {}
    ids = np.array([number.setdefault(graph.node_text[w].lower(), len(number)) for w in words.tolist()], np.int64)
    first, then = words[text == 0], words[text == text.max()]
    found, share = side_by_side(ids[text == 0], ids[text == text.max()])
    of_node = {unit.node: i for i, unit in enumerate(premise.units)}
    at = {int(then[j]): int(first[i]) for j, i in enumerate(found.tolist()) if i >= 0}
    pairs = ((of_node.get(at.get(unit.node, -1), -1), j) for j, unit in enumerate(hypothesis.units))
    return Beside(frozenset(pair for pair in pairs if pair[0] >= 0), share)


def _existential(change: Change) -> Change:
    """What excludes each other may both be so, of different men."""
    if change.kind == EditKind.OPERATOR:
        return change
    out = change.relation.copy()
    out[Entailment.INDEPENDENCE] += out[Entailment.ALTERNATION]
    out[Entailment.ALTERNATION] = 0
    return dataclasses.replace(change, relation=out)


def _written(graph: LogicGraph, premise: Reading, hypothesis: Reading, back: list[int], found: list[Change]) -> Edits:
    found = sorted(found, key=lambda change: _ORDER[change.kind])
    forth = {i: j for j, i in enumerate(back) if i >= 0}
    node, place = [], []
    for change in found:
        i, j = change.premise, change.hypothesis
        node.append((premise.units[i].node if i >= 0 else -1, hypothesis.units[j].node if j >= 0 else -1))
        place.append(_places(graph, premise, hypothesis, forth, change))
    return Edits(
        np.array([change.kind for change in found], np.int8),
        np.array(node, np.int32).reshape(-1, 2).T,
        np.array([change.relation for change in found], np.float32).reshape(-1, 7).T,
        np.array(place, np.int8).reshape(-1, 2).T,
        tuple(change.reason for change in found),
    )


def _places(
    graph: LogicGraph, premise: Reading, hypothesis: Reading, forth: dict[int, int], change: Change
) -> tuple[int, int]:
    """Return the signatures of an edit's place in the premise and in the hypothesis."""
    i, j, place = change.premise, change.hypothesis, change.place
    if change.whole:
        return 0, 0
    if change.kind == EditKind.DELETE:
        beside = _conjunct(premise.units, i, forth)
        if beside >= 0:  # "eat or drink" to "drink"
            return int(graph.node_polarity[premise.units[beside].node]), int(
                graph.node_polarity[hypothesis.units[forth[beside]].node]
            )
        above = forth.get(premise.units[i].parent, -1)
        return _around(graph, premise.units, i), _around(graph, hypothesis.units, above, True)
    if change.kind == EditKind.INSERT:
        return _around(graph, premise.units, place, True), _around(graph, hypothesis.units, j)
    if change.outer and place >= 0:  # what is said of a whole clause
        whole = change.premise < 0 or premise.units[change.premise].operator is not None
        whole &= change.hypothesis < 0 or hypothesis.units[change.hypothesis].operator is not None
        return (
            _around(graph, premise.units, i if i >= 0 else place, i < 0 and not whole),
            _around(graph, hypothesis.units, j if j >= 0 else place, j < 0 and not whole),
        )
    if change.outer:
        return _outside(graph, premise.units, i), _outside(graph, hypothesis.units, j)
    return _inside(graph, premise.units[i]), _inside(graph, hypothesis.units[j])


def _inside(graph: LogicGraph, unit: Unit) -> int:
    """Return the signature of a word's place; of the noun in "nobody" and "no one", that of what they quantify."""
    outer, hidden, at = int(graph.node_polarity[unit.node]), _HIDDEN.get(unit.quantifier, -1), unit.quantifier_node
    pronoun = at == unit.node or (unit.lemma == "person" and at >= 0 and graph.node_polarity[at] == outer)
    return int(COMPOSE[outer, hidden]) if hidden >= 0 and pronoun else outer


def _conjunct(units: list[Unit], i: int, forth: dict[int, int]) -> int:
    """Return what was joined to a unit and stands in its place now that the unit is left out, or -1."""
    return next((c for c in units[i].children if units[c].relation == "conj" and forth.get(c, -1) >= 0), -1)


def _around(graph: LogicGraph, units: list[Unit], i: int, itself: bool = False) -> int:
    """Return the signature of the place where a unit hangs: that of what it hangs on."""
    if i < 0:
        return 0
    unit = units[i]
    if itself:
        return int(graph.node_polarity[unit.node])
    if removed(unit) is not None:
        return int(graph.node_polarity[unit.node])
    if unit.parent < 0:
        return 0
    if unit.relation == "conj" and any(units[c].relation == "nsubj" for c in unit.children):
        return _outside(graph, units, i)
    return int(graph.node_polarity[units[unit.parent].node])


def _outside(graph: LogicGraph, units: list[Unit], i: int) -> int:
    """Return the signature of the place of a unit's operator, or of the unit."""
    unit = units[i]
    if unit.case == "without":
        return _around(graph, units, i)
    for node in (unit.negation, unit.quantifier_node, unit.modal_node):
        if node >= 0:
            return int(graph.node_polarity[node])
    return int(graph.node_polarity[unit.node])
