"""Reads the dependency trees of a logic graph as units that carry content, and the roles that join them."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, EdgeType, LogicGraph, NodeType
from kgreason.data.operators import Operator
from kgreason.ground.governing import govern
from kgreason.ground.quantities import quantify
from kgreason.ground.rewrites import Sketch, rewrite
from kgreason.ground.units import Lexicon
from kgreason.ground.words import EMPTY, INDEFINITE, MODALS, NEGATIONS, PARTICLES, RELATIVES

_NEXT: Final = DEPENDENCY_RELATIONS.id("next")
_POS: Final = ["", *UPOS]  # position -1 + 1
_RELATIONS: Final = list(DEPENDENCY_RELATIONS)
_VERB: Final = UPOS.id("VERB")
_ATTRIBUTES: Final = np.array([UPOS.id(pos) for pos in ("ADJ", "NOUN", "PROPN")])
_VERBAL: Final = frozenset({"VERB", "AUX"})
_DROPPED: Final = frozenset({"punct", "discourse", "expl"})
_LOOSE: Final = frozenset({"reparandum", "dep", "vocative"})
_CONTENT: Final = frozenset({"NOUN", "PROPN", "VERB", "ADJ", "NUM"})


@dataclass(slots=True)
class Unit:
    """A word or phrase that carries content, with the function words around it.

    Nodes are nodes of the logic graph; `parent` is a unit, -1 at the root of a sentence. `relation` is the dependency
    relation to it.
    """

    node: int
    text: str
    lemma: str
    pos: str
    words: list[int]
    parent: int = -1
    relation: str = "root"
    case: str = ""
    mark: str = ""
    quantifier: str = ""
    quantifier_node: int = -1
    negation: int = -1
    modal: str = ""
    modal_node: int = -1
    joined: str = ""
    owner: str = ""
    plural: bool = False
    passive: bool = False
    there: bool = False
    main: bool = False
    sentence: int = 0
    gap: str = ""
    phrase: str = ""
    phase: str = ""
    excess: bool = False
    modifier: int = -1
    operator: Operator | None = None
    complement: int = -1
    children: list[int] = field(default_factory=list)

    @property
    def past(self) -> bool:
        """Whether a verb without a modal has the form of what is over: "arrived", "went"."""
        return (
            self.pos == "VERB" and not self.modal and self.text != self.lemma and not self.text.endswith(("s", "ing"))
        )


def read_units(graph: LogicGraph, text: int, lexicon: Lexicon) -> list[Unit]:
    """Read one text of a logic graph: its units in reading order."""
    nodes = np.flatnonzero((graph.node_type == NodeType.WORD) & (graph.node_span[:, 0] == text)).tolist()
    if not nodes:
        return []
    sketch = _sketch(graph, nodes)
    rewrite(sketch)
    quantify(sketch)
    first = nodes[0]
    owner = _owners(sketch, lexicon, _rivals(graph, text))
    units = [_unit(sketch, at, first, words, graph) for at, words in owner]
    _connect(sketch, units, first)
    _name(units, lexicon)
    govern(units)
    return units


def _sketch(graph: LogicGraph, nodes: list[int]) -> Sketch:
    first, size = nodes[0], len(nodes)
    governor, relation = [-1] * size, ["root"] * size
    keep = np.flatnonzero((graph.edge_type == EdgeType.DEPENDENCY) & (graph.edge_relation != _NEXT))
    source, target = graph.edge_index[:, keep]
    for a, b, r in zip(source.tolist(), target.tolist(), graph.edge_relation[keep].tolist(), strict=True):
        if first <= b < first + size:
            governor[b - first], relation[b - first] = a - first, _RELATIONS[r]
    text = [t.lower().replace("’", "'") for t in graph.node_text[first : first + size]]
    lemma = [word or t for word, t in zip(graph.node_lemma[first : first + size], text, strict=True)]
    pos = [_POS[p + 1] for p in graph.node_pos[first : first + size].tolist()]
    return Sketch(text, lemma, pos, governor, relation)


def _rivals(graph: LogicGraph, text: int) -> dict[str, set[str]]:
    """Return what stands before each noun in the other texts, and which particles follow each verb.

    Beside "a bronze wall", "a stone wall" is no fence; beside "look down", "look up" is no search.
    """
    found: dict[str, set[str]] = {}
    particles = (graph.node_type == NodeType.WORD) & (graph.node_span[:, 0] != text) & (graph.node_pos != _VERB)
    for node in np.flatnonzero(particles[1:] & (graph.node_pos[:-1] == _VERB)).tolist():
        if graph.node_text[node + 1].lower() in PARTICLES:
            found.setdefault(f"{graph.node_lemma[node]} …", set()).add(graph.node_text[node + 1].lower())
    words = (graph.node_type == NodeType.WORD) & (graph.node_span[:, 0] != text) & np.isin(graph.node_pos, _ATTRIBUTES)
    for node in np.flatnonzero(words[:-1]).tolist():
        noun = graph.node_lemma[node + 1] or graph.node_text[node + 1].lower()
        found.setdefault(noun, set()).add(graph.node_text[node].lower())
    return found


def _owners(s: Sketch, lexicon: Lexicon, rivals: dict[str, set[str]]) -> list[tuple[int, list[int]]]:
    """Return the heads of the units, each with the words of its phrase."""
    found, taken = [], set[int]()
    for node in range(len(s.text)):
        if node in taken or not _carries(s, node):
            continue
        words = sorted([node, *(d for d in s.below[node] if _belongs(s, d, node, lexicon, rivals))])
        taken.update(words)
        found.append((node, words))
    return [(node, words) for node, words in found if not (node in taken and _swallowed(node, words, found))]


def _swallowed(node: int, words: list[int], found: list[tuple[int, list[int]]]) -> bool:
    return any(node in others and head != node for head, others in found)


def _carries(s: Sketch, node: int) -> bool:
    relation, pos, lemma = s.relation[node], s.pos[node], s.lemma[node]
    if node in s.silent or relation in _DROPPED or pos == "PUNCT" or not any(map(str.isalnum, lemma)):
        return False
    if relation in _LOOSE and pos not in _CONTENT:  # what a parser cannot place may still say something
        return False
    if relation in {"det", "case", "mark", "aux", "cop", "cc", "fixed", "goeswith", "nummod", "flat"}:
        return False
    if lemma in NEGATIONS or (relation == "advmod" and lemma in EMPTY):
        return False
    if pos == "PRON" and relation == "nmod":
        return False
    return not (lemma in RELATIVES and pos in {"PRON", "ADV", "SCONJ", "DET"} and _in_relative_clause(s, node))


def _in_relative_clause(s: Sketch, node: int) -> bool:
    above = s.governor[node]
    while above >= 0:
        if s.relation[above] in {"acl", "ccomp", "advcl"}:
            return True
        above = s.governor[above]
    return False


def _belongs(s: Sketch, node: int, head: int, lexicon: Lexicon, rivals: dict[str, set[str]]) -> bool:
    """Whether a dependent is part of the phrase: a name, a particle, the first part of a known compound."""
    relation = s.relation[node]
    if relation in {"flat", "fixed", "goeswith"}:
        return True
    if s.pos[head] == "VERB" and (relation == "compound" or (node == head + 1 and s.text[node] in PARTICLES)):
        others = rivals.get(f"{s.lemma[head]} …", set())
        together = not s.below[node] and (not others or s.text[node] in others)
        return together and lexicon.knows(f"{s.lemma[head]} {s.text[node]}")
    if relation in {"compound", "amod"} and node == head - 1 and not s.below[node]:
        both, others = f"{s.text[node]} {s.lemma[head]}", rivals.get(s.lemma[head], set())
        return (not others or s.text[node] in others) and lexicon.knows_as_one(both, s.lemma[head])
    return False


def _unit(s: Sketch, at: int, first: int, words: list[int], graph: LogicGraph) -> Unit:
    lemma, quantifier = INDEFINITE.get(s.lemma[at], (s.lemma[at], ""))
    if lemma == "one" and any(s.lemma[d] == "no" for d in s.below[at]):
        lemma = "person"
    text = s.text[at] if lemma == s.lemma[at] else lemma
    particles = [s.text[w] for w in words if w > at]
    before = [s.text[w] for w in words if w < at]
    unit = Unit(
        node=first + at,
        text=" ".join([*before, text, *particles]),
        lemma=" ".join([*before, lemma, *particles]),
        pos="NOUN" if lemma != s.lemma[at] else s.pos[at],
        words=[first + w for w in words],
        relation=s.relation[at],
        quantifier=quantifier,
        quantifier_node=first + at if quantifier else -1,
        there=at in s.there,
        phase=s.phase.get(at, ""),
        excess=at in s.excess,
    )
    unit.plural = unit.pos == "NOUN" and s.text[at] != s.lemma[at] and lemma == s.lemma[at]
    for d in s.below[at]:
        _attach(s, unit, at, d, first)
    if at in s.cases:
        unit.case = " ".join(s.text[c] for c in s.cases[at])
    if at in s.quantity:
        unit.quantifier, unit.quantifier_node = s.quantity[at][0], first + s.quantity[at][1]
    _voice(s, unit, at)
    return unit


def _attach(s: Sketch, unit: Unit, at: int, d: int, first: int) -> None:
    """Note a function word at its unit."""
    relation, lemma = s.relation[d], s.lemma[d]
    if relation == "case" and d not in s.silent:
        fixed = [s.text[c] for c in s.below[d] if s.relation[c] == "fixed"]
        unit.case = " ".join([*unit.case.split(), lemma, *fixed])
    elif relation == "mark":
        unit.mark = " ".join([lemma, *(s.text[c] for c in s.below[d] if s.relation[c] == "fixed")])
        if lemma == "without":  # "left without saying a word"
            unit.negation = first + d
    elif relation in {"det", "nummod"} and d not in s.silent and lemma not in NEGATIONS:
        unit.quantifier, unit.quantifier_node = unit.quantifier or lemma, first + d
    elif relation == "nmod" and s.pos[d] == "PRON":
        unit.owner = lemma
    elif relation == "cc":
        unit.joined = lemma
    elif relation == "aux" and lemma in MODALS:
        unit.modal, unit.modal_node = lemma, first + d
    if lemma == "neither" and unit.pos in {"NOUN", "PROPN"} and not unit.quantifier:  # "neither Ann nor Bob"
        unit.quantifier, unit.quantifier_node = "no", first + d
    elif lemma in NEGATIONS and relation in {"advmod", "det", "cc", "aux"} and d not in s.silent:
        unit.negation = first + d if unit.negation < 0 else -1


def _voice(s: Sketch, unit: Unit, at: int) -> None:
    if s.pos[at] != "VERB" or s.text[at].endswith("ing") or s.text[at] == s.lemma[at] + "s":
        return
    helpers = [d for d in s.below[at] if s.relation[d] == "aux" and s.lemma[d] in {"be", "get"}]
    alone = not any(s.relation[d] in {"aux", "nsubj"} for d in s.below[at])
    unit.passive = bool(helpers) or (alone and s.relation[at] in {"acl", "amod"} and s.text[at] != s.lemma[at])


def _name(units: list[Unit], lexicon: Lexicon) -> None:
    """Note where a modifier and its noun are the name of one thing: "ballpoint pen", "bird cage" for birdcage."""
    for i, unit in enumerate(units):
        k = i - 1
        if k < 0 or units[k].parent != i or units[k].relation not in {"compound", "amod"} or units[k].children:
            continue
        for label in (f"{units[k].text} {unit.lemma}", f"{units[k].text}{unit.lemma}"):
            if lexicon.names(label):
                unit.phrase, unit.modifier = label, k
                break


def _connect(s: Sketch, units: list[Unit], first: int) -> None:
    """Hang every unit below the nearest unit above it, and mark the main predicates."""
    owner = {w - first: i for i, unit in enumerate(units) for w in unit.words}
    roots: dict[int, int] = {}
    for i, unit in enumerate(units):
        at = root = unit.node - first
        above = s.governor[at]
        while above >= 0:
            root = above
            if unit.parent < 0 and owner.get(above, i) != i:
                unit.parent = owner[above]
                units[unit.parent].children.append(i)
            above = s.governor[above]
        unit.sentence = roots.setdefault(root, len(roots))
        unit.gap = next((s.relation[d] for d in s.below[at] if s.lemma[d] in RELATIVES and s.pos[d] == "PRON"), "")
    for unit in units:
        top = units[unit.parent] if unit.parent >= 0 else None
        unit.main = top is None or (top.there and top.parent < 0 and unit.relation == "acl")
