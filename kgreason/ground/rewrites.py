"""Rewrites dependency trees so that different wordings of one thing look alike: who does what to whom stays."""

from typing import Final, final

from kgreason.data.operators import predicates
from kgreason.ground.units_of_measure import MARKS
from kgreason.ground.words import GROUPS, PARTITIVES, PLACES, PREPOSITIONS

_MEASURED: Final = {"old": "of age", "tall": "in height", "long": "in length", "wide": "in width", "deep": "in depth"}
#: What such words are in the trees.
MEASURED: Final = frozenset(_MEASURED.values())
_MEASURES: Final = frozenset(
    """second minute hour day week month year decade century millimeter centimeter meter metre kilometer kilometre inch
    foot yard mile cm mm km m ft""".split()  # noqa: SIM905
)
_SIGNS: Final = MARKS | {"₹": "rupee", "%": "percent"}
_PROVISOS: Final = frozenset({"provided", "providing", "assuming", "supposing"})
_COMPLEMENTS: Final = frozenset({"xcomp", "ccomp", "advcl", "conj", "parataxis"})
_LETTING: Final = frozenset({"get", "have", "want", "need", "keep", "leave"})
_MODIFIERS: Final = frozenset({"det", "nummod", "amod", "advmod", "case", "cc", "punct", "aux", "cop"})


@final
class Sketch:
    """The dependency trees of a logic graph as lists that may be changed; position `i` is node `i`.

    Args:
        text: The words, lower case.
        lemma: Their dictionary forms.
        pos: Their universal parts of speech, `""` if unknown.
        governor: The governor of each, -1 for a root.
        relation: The dependency relation to it, `root` for a root.
    """

    __slots__ = (
        "below",
        "cases",
        "excess",
        "governor",
        "group",
        "lemma",
        "phase",
        "pos",
        "quantity",
        "relation",
        "silent",
        "text",
        "there",
    )

    def __init__(
        self, text: list[str], lemma: list[str], pos: list[str], governor: list[int], relation: list[str]
    ) -> None:
        self.text, self.lemma, self.pos, self.governor, self.relation = text, lemma, pos, governor, relation
        self.silent: set[int] = set()  # nodes that carry nothing of their own
        self.there: set[int] = set()  # what is said to exist
        self.group: dict[int, int] = {}  # of "three of the boys": boys to three
        self.quantity: dict[int, tuple[str, int]] = {}  # the quantifier of a noun phrase, and its node
        self.excess: set[int] = set()  # what is too much so: "too young to drive"
        self.phase: dict[int, str] = {}  # what was so ("used to smoke"), and what has ended ("no longer smokes")
        self.cases: dict[int, list[int]] = {}  # the nodes of a preposition of several words, by what it governs
        self.below: list[list[int]] = [[] for _ in text]
        for node, above in enumerate(governor):
            if above >= 0:
                self.below[above].append(node)

    def child(self, node: int, relation: str) -> int:
        """Return the first dependent in a relation, or -1."""
        return next((d for d in self.below[node] if self.relation[d] == relation), -1)

    def move(self, node: int, above: int, relation: str) -> None:
        """Hang a node elsewhere."""
        if self.governor[node] >= 0:
            self.below[self.governor[node]].remove(node)
        self.governor[node], self.relation[node] = above, relation
        if above >= 0:
            self.below[above].append(node)

    def exchange(self, node: int, below: int) -> None:
        """Let a dependent take its governor's place; the governor becomes its dependent."""
        above, relation = self.governor[node], self.relation[node]
        self.move(below, above, relation)
        self.move(node, below, "dep")


def rewrite(s: Sketch) -> None:
    """Bring existential clauses, clefts, partitives and prepositions with a noun in them to one form."""
    _prepositions(s)
    _signs(s)
    _predicates_of_subjects(s)
    for node in range(len(s.text)):
        lemma = s.lemma[node]
        if s.relation[node] == "obj" and s.pos[node] == "VERB" and s.text[node].endswith("ing"):
            s.relation[node] = "xcomp"  # "she quit smoking", where the parser saw a noun's place
        elif lemma in _MEASURED and any(s.lemma[d] in _MEASURES for d in s.below[node]):
            s.lemma[node] = _MEASURED[lemma]  # who is five years old is not old
        elif lemma == "that" and s.relation[node] == "obj" and _opens_what_is_so(s, s.governor[node]):
            s.relation[node], s.pos[node] = "mark", "SCONJ"
        if s.relation[node] == "expl" and lemma == "there":
            _existential(s, node)
        elif lemma in PLACES and s.child(node, "case") >= 0:
            _place(s, node)
        elif lemma in PARTITIVES or lemma in GROUPS or s.pos[node] == "NUM":
            _partitive(s, node)
    for node in range(len(s.text)):
        if s.lemma[node] == "it" and s.relation[node] in {"nsubj", "expl"}:
            _cleft(s, node)


def _signs(s: Sketch) -> None:
    """Read "$20" as 20 dollars, "no longer" as not, and "provided that" as what opens a condition."""
    for node, text in enumerate(s.text):
        above = s.governor[node]
        if text in _SIGNS:
            s.text[node] = s.lemma[node] = _SIGNS[text]
            s.pos[node] = "NOUN"
            _amount(s, node)
        elif text in {"longer", "more"} and s.relation[node] == "advmod" and s.text[node - 1 : node] == ["no"]:
            if above >= 0 and s.governor[node - 1] == node:
                s.move(node - 1, above, "advmod")
                s.lemma[node - 1] = "not"
                s.silent.add(node)
                s.phase[above] = "ended"
        elif text == "used" and s.child(node, "obj") < 0 and _opens_with_to(s, inside := s.child(node, "xcomp")):
            s.exchange(node, inside)
            s.silent.add(node)
            s.phase[inside] = "was"
            for other in [d for d in s.below[node] if s.relation[d] in {"nsubj", "advmod", "aux", "punct"}]:
                s.move(other, inside, s.relation[other])
        elif text == "too" and s.relation[node] == "advmod" and above > node:
            s.excess.add(above)
        elif text in _PROVISOS and s.relation[node] == "advcl" and (inside := s.child(node, "ccomp")) >= 0:
            s.exchange(node, inside)
            s.relation[node], s.lemma[node] = "mark", text


def _opens_with_to(s: Sketch, verb: int) -> bool:
    return verb >= 0 and any(s.relation[d] == "mark" and s.text[d] == "to" for d in s.below[verb])


def _amount(s: Sketch, sign: int) -> None:
    """Let a sign of money change places with the number behind it."""
    last = sign
    while last + 1 < len(s.text) and s.pos[last + 1] == "NUM" and _is_below(s, last + 1, sign):
        last += 1
    if last == sign:
        return
    s.exchange(sign, last)
    for node in [d for d in s.below[sign] if d != last]:
        s.move(node, last, s.relation[node])
    for part in (s.text, s.lemma, s.pos):
        part[sign : last + 1] = [*part[sign + 1 : last + 1], part[sign]]
    for node in range(sign, last):
        s.move(node, last, "nummod")


def _is_below(s: Sketch, node: int, top: int) -> bool:
    while node >= 0 and node != top:
        node = s.governor[node]
    return node == top


def _predicates_of_subjects(s: Sketch) -> None:
    """Let the verb after a relative clause be what is said of its noun: "the girl that the teachers helped laughed".

    A parser may hang it below the verb of the relative clause. It is no complement: it has a form of its own.
    """
    for noun in range(len(s.text)):
        if s.relation[noun] != "root" or s.pos[noun] not in {"NOUN", "PROPN"} or s.child(noun, "cop") >= 0:
            continue
        clause = s.child(noun, "acl")
        if clause > noun and s.child(clause, "nsubj") >= 0 and s.lemma[clause] not in _LETTING:
            after, relations = clause, _COMPLEMENTS
        else:
            after, relations = noun, frozenset({"xcomp"})
        verb = next((v for v in s.below[after] if v > after and s.relation[v] in relations and _finite(s, v)), -1)
        if verb >= 0:
            s.move(verb, -1, "root")
            s.move(noun, verb, "nsubj")


def _finite(s: Sketch, verb: int) -> bool:
    own = {s.relation[d] for d in s.below[verb]}
    inflected = s.pos[verb] == "VERB" and s.text[verb] != s.lemma[verb] and not s.text[verb].endswith("ing")
    return inflected and not own & {"nsubj", "mark", "cc"}


def _opens_what_is_so(s: Sketch, verb: int) -> bool:
    """Whether a verb is what a noun says to be so or not: "it is the case that the dog barked"."""
    noun = s.governor[verb]
    return (
        noun >= 0
        and s.relation[verb] == "acl"
        and s.child(noun, "cop") >= 0
        and (s.lemma[noun], "that") in predicates()
    )


def _prepositions(s: Sketch) -> None:
    """Make one preposition of the noun of an adverb and its prepositions: "far away from the house"."""
    for last, lemma in enumerate(s.lemma):
        noun = s.governor[last]
        if lemma not in {"from", "to", "of"} or s.relation[last] != "case" or noun < last:
            continue
        length = next((n for n in (2, 1) if n <= last and " ".join(s.text[last - n : last + 1]) in PREPOSITIONS), 0)
        if not length:
            continue
        words = list(range(last - length, last + 1))
        top = next((w for w in words if s.governor[noun] == w), -1)
        if top >= 0:
            while s.governor[top] in words:
                top = s.governor[top]
            s.exchange(top, noun)
            s.relation[noun] = {"amod": "nmod", "advmod": "obl"}.get(s.relation[noun], s.relation[noun])
            _hand_down(s, top, noun)
        s.cases[noun] = words
        s.silent.update(words)


def _existential(s: Sketch, there: int) -> None:
    """Let the verb of "there is a man playing" say nothing: it speaks of a man playing."""
    verb = s.governor[there]
    subject = next((r for r in (s.child(verb, name) for name in ("nsubj", "obj", "obl")) if r >= 0), -1)
    s.silent.add(there)
    if s.lemma[verb] != "be":
        if s.pos[verb] in {"NOUN", "PROPN"}:
            s.there.add(verb)
        return
    if subject < 0:
        return
    s.exchange(verb, subject)
    s.silent.add(verb)
    s.there.add(subject)
    for node in list(s.below[verb]):
        if node != there:
            s.move(node, subject, "acl" if s.pos[node] == "VERB" and s.relation[node] != "conj" else s.relation[node])


def _place(s: Sketch, node: int) -> None:
    """Read "On top of the roof": one preposition and its noun."""
    inside = s.child(node, "nmod")
    of = s.child(inside, "case") if inside >= 0 else -1
    if of < 0 or s.lemma[of] not in {"of", "to"}:
        return
    case = [d for d in s.below[node] if s.relation[d] == "case"]
    s.exchange(node, inside)
    s.cases[inside] = [*case, node, of]
    s.silent.update([*case, node, of])
    _hand_down(s, node, inside)


def _partitive(s: Sketch, node: int) -> None:
    """Read "Three of the boys", "a group of boys": boys, and how many."""
    if s.relation[node] == "nummod":
        return
    inside = next(
        (
            d
            for d in s.below[node]
            if s.relation[d] in {"nmod", "obl"}
            and any(s.lemma[c] == "of" for c in s.below[d] if s.relation[c] == "case")
        ),
        -1,
    )
    if inside < 0 or inside < node:
        return
    s.exchange(node, inside)
    s.silent.update([node, *(c for c in s.below[inside] if s.relation[c] == "case")])
    s.group[inside] = node
    _hand_down(s, node, inside)


def _hand_down(s: Sketch, node: int, inside: int) -> None:
    for other in list(s.below[node]):
        relation = s.relation[other]
        stays = relation in _MODIFIERS - {"cop", "aux"} and not (relation == "case" and inside not in s.cases)
        if not stays or s.lemma[other] in {"not", "n't"}:
            s.move(other, inside, relation)


def _cleft(s: Sketch, it: int) -> None:
    """Read "it was Anna who found the ring" as "Anna found the ring"."""
    anna = s.governor[it]
    found = next((d for d in s.below[anna] if s.relation[d] == "acl" and s.pos[d] == "VERB" and d > anna), -1)
    if found < 0 or s.child(anna, "cop") < 0 or (s.lemma[anna], "that") in predicates():
        return  # "it is the case that Anna found the ring" speaks of no case
    who = next((d for d in s.below[found] if s.lemma[d] in {"who", "that", "which", "whom"}), -1)
    if who < 0:
        return
    role = s.relation[who]
    s.silent.update([it, who])
    s.exchange(anna, found)
    s.move(anna, found, role if role != "mark" else "nsubj")
    for node in list(s.below[anna]):
        if s.relation[node] == "punct" or s.lemma[node] in {"not", "n't"}:
            s.move(node, found, s.relation[node])
