r"""How the place of each word projects what is exchanged there: operators composed from the root down.

Every word $w$ stands in arguments of operators $o_1, \dots, o_n$, the widest first, and its place has the signature
$\sigma_{o_1} \circ \dots \circ \sigma_{o_n}$. In a clause, operators take scope in the order of the words; a
conditional takes scope over all of its main clause, and a preposition or a verb over what it opens or takes.
"""

from typing import Final, NamedTuple, final

from kgreason.data import COMPOSE, POLARITY, SEMANTIC_RELATIONS, Polarity, signature
from kgreason.data.operators import Shape
from kgreason.parse.complements import complements
from kgreason.parse.cues import Cues
from kgreason.parse.determiners import Quantified
from kgreason.parse.words import NOMINAL, Words

_THEN: Final[list[list[int]]] = COMPOSE.tolist()
_LETS: Final[list[bool]] = (POLARITY != Polarity.UPWARD).tolist()
_EVERY: Final = (signature("every, restrictor"), signature("every, scope"))
_NEITHER: Final = signature("none")
_FOCUS_SCOPE: Final = {"only": signature("downward only"), "not only": signature("upward")}
_EDGES: Final = {name: SEMANTIC_RELATIONS.id(name) for name in ("argument", "negates", "quantifies", "conjoins")}
_NEGATIONS: Final = frozenset({"not", "never", "no longer", "nowhere", "hardly", "rarely", "neither"})

_ARGUMENT: Final = frozenset({"nsubj", "csubj", "obj", "iobj", "obl", "dislocated"})
_MISTAKEN: Final = frozenset({"advmod", "xcomp", "ccomp", "dep", "expl"})  # what parsers take noun phrases for
_APART: Final = frozenset({"punct", "discourse", "vocative", "parataxis", "cc"})
_WITHIN: Final = frozenset(
    {"amod", "nmod", "compound", "flat", "nummod", "appos", "acl", "clf", "fixed", "goeswith", "dep"}
)
_FACTUAL: Final = frozenset({"because", "although", "though", "since", "whereas"})
_BESIDE: Final = frozenset({"while", "when", "as", "after", "before", "until"})


class Place(NamedTuple):
    """The signature of a place, and whether an operator around it licenses "any"."""

    signature: int
    licensed: bool

    def under(self, sign: int) -> "Place":
        return Place(_THEN[self.signature][sign], self.licensed or _LETS[sign])


class Entry(NamedTuple):
    """An operator over one clause; `own` is the part of the clause that holds it, and that it does not cover."""

    wide: bool
    place: float
    signature: int
    own: int
    token: int
    name: str


class Clause(NamedTuple):
    """A word whose dependents are looked at.

    Args:
        node: The word.
        place: The place of all that depends on it, the operators over its clause left out.
        entries: These operators, the widest first.
        here: The place of the word itself, as a phrase: under those that cover it.
        inner: The place inside its noun phrase.
        part: The dependent that alone is inside ("all of the | men"), or -1.
        joined: The signature of conjuncts.
    """

    node: int
    place: Place
    entries: list[Entry]
    here: Place
    inner: Place
    part: int
    joined: int


@final
class Scopes:
    """Finds the signature of every word's place, and the SEMANTIC edges.

    Args:
        words: The words and their trees.
        cues: What hangs on them.
        roots: The signature of the place of each root.

    Attributes:
        signature: A position in `SIGNATURES` for each word.
        edges: Operator, head of its argument, and relation, in the order in which they are found.
    """

    def __init__(self, words: Words, cues: Cues, roots: dict[int, int]) -> None:
        self.words, self.cues = words, cues
        self.signature = [0] * len(words)
        self.edges: list[tuple[int, int, int]] = []
        self._outer = [0] * len(words)
        self._of_operator: dict[int, int] = {}
        self._stack = [(root, Place(sign, _LETS[sign])) for root, sign in roots.items()]
        while self._stack:
            self._visit(*self._stack.pop())
        for token, sign in self._of_operator.items():
            self.signature[token] = sign
        for token, node in cues.inside.items():
            self.signature[token] = self._outer[node]

    def _visit(self, node: int, place: Place) -> None:
        """Find the signature of a word, and the places of its dependents."""
        for opened in self.cues.openers.get(node, ()):
            self._of_operator[opened.token] = place.signature
            place = place.under(opened.signature)
            self._edge(opened.token, node, "argument")
        self._outer[node] = place.signature
        entries = self._entries(node, place)
        here = place
        for entry in entries:
            self._of_operator[entry.token] = here.signature
            if entry.own != node and (entry.place < node or entry.name != "not"):
                here = here.under(entry.signature)
        inner, part = self._restrict(node, here)
        clause = Clause(node, place, entries, here, inner, part, self._join(node))
        self.signature[node] = _THEN[inner.signature][clause.joined]
        taken = complements(self.words, node, self._is_strong)
        for kid in self.words.kids[node]:
            there = self._place_of(clause, kid)
            if kid in taken:
                there = there.under(taken[kid].first)
                self._edge(node, kid, "argument")
            self._stack.append((kid, there))

    def _entries(self, node: int, place: Place) -> list[Entry]:
        """Return the operators over the clause of a word, the widest first."""
        cues = self.cues
        found = [Entry(True, -1.0, h.signature, h.node, h.token, h.name) for h in cues.around.get(node, ())]
        found += [Entry(False, h.place, h.signature, -1, h.token, h.name) for h in cues.adverbs.get(node, ())]
        found += [
            Entry(False, h.place, _FOCUS_SCOPE[h.name], h.node, h.token, h.name) for h in cues.focus.get(node, ())
        ]
        if cues.quantifiers:
            found += [
                Entry(False, q.place, q.operator.scope, own, q.token, q.operator.name) for q, own in self._over(node)
            ]
        for entry in found:
            self._edge(entry.token, node, "negates" if entry.name in _NEGATIONS else "quantifies")
        found.sort(key=lambda entry: (not entry.wide, entry.place))
        return self._settle(found, place.licensed) if any(entry.name == "any" for entry in found) else found

    def _settle(self, found: list[Entry], licensed: bool) -> list[Entry]:
        """Make "any" universal where nothing before it licenses it, and drop it where something does."""
        entries: list[Entry] = []
        for entry in found:
            if entry.name != "any":
                entries.append(entry)
            elif not licensed and not any(_LETS[e.signature] for e in entries if e.own != entry.own):
                entries.append(entry._replace(signature=_EVERY[1]))
        return entries

    def _over(self, node: int) -> list[tuple[Quantified, int]]:
        """Return the quantifiers with scope over the clause of a word, and the dependents that hold them."""
        words, cues = self.words, self.cues
        found = []
        for kid in words.kids[node]:
            rel = words.rel[kid]
            if rel in _ARGUMENT or (rel == "nmod" and kid < node) or (rel in _MISTAKEN and kid in cues.quantifiers):
                found += [(q, kid) for q in self._held(kid)]
        if node in cues.quantifiers and self._is_predicate(node):
            found += [(q, node) for q in cues.quantifiers[node]]
        return [(q, kid) for q, kid in found if q.operator.scope >= 0 or q.operator.name == "any"]

    def _held(self, kid: int) -> list[Quantified]:
        """Return the quantifiers of a noun phrase that reach out of it: its own and its possessor's."""
        words, cues = self.words, self.cues
        if any(words.lower[k] == "with" and words.rel[k] == "case" for k in words.kids[kid]):
            return []  # "in a coat with no buttons", wherever the tree has it
        found = list(cues.quantifiers.get(kid, ()))
        for k in words.kids[kid]:
            if k in cues.quantifiers and words.rel[k] == "nmod" and k < kid:
                found += cues.quantifiers[k]
        return found

    def _is_predicate(self, node: int) -> bool:
        return any(self.words.rel[k] in {"nsubj", "cop", "expl", "aux"} for k in self.words.kids[node])

    def _is_nominal(self, node: int) -> bool:
        return self.words.pos[node] in NOMINAL or node in self.cues.quantifiers

    def _is_strong(self, node: int) -> bool:
        held = self.cues.quantifiers.get(node, ())
        return any(q.operator.shape == Shape.DETERMINER and q.operator.name != "any" for q in held)

    def _restrict(self, node: int, place: Place) -> tuple[Place, int]:
        """Return the place inside a noun phrase, and the dependent that it alone holds for, or -1."""
        if node in self.cues.superlative:
            place = place.under(_NEITHER)
        part = -1
        for q in self.cues.quantifiers.get(node, ()):
            first = q.operator.first
            if q.operator.name == "any":
                first = 0 if place.licensed else _EVERY[0]
            place = place.under(first)
            part = max(part, q.part)
            self._edge(q.token, q.part if q.part >= 0 else node, "argument")
        return place, part

    def _join(self, node: int) -> int:
        """Return the signature of the conjuncts of a word."""
        if node not in self.cues.joined:
            return 0
        joined = self.cues.joined[node]
        for conjunct in (node, *(k for k in self.words.kids[node] if self.words.rel[k] == "conj")):
            self._edge(joined.token, conjunct, "conjoins")
        return joined.signature

    def _place_of(self, clause: Clause, kid: int) -> Place:
        """Return the place of a dependent."""
        words, node = self.words, clause.node
        rel = words.rel[kid]
        if rel in {"det", "case"}:
            return clause.here
        if rel in {"mark", "cc"}:
            return clause.place
        if rel == "acl" and self._is_aside(kid):
            return Place(0, False)
        if rel == "conj":
            return self._of_conjunct(clause, kid).under(clause.joined)
        within = clause.part < 0 and rel in _WITHIN and self._is_nominal(node)
        if within or kid == clause.part or (node in self.cues.superlative and words.opens(kid, "of")):
            place = clause.inner
        else:
            place = self._covered(clause, kid)
        return place.under(clause.joined) if kid > node and rel not in _APART else place

    def _is_aside(self, kid: int) -> bool:
        """Whether a relative clause only tells more: ", who was asleep". Nothing around it denies it."""
        words = self.words
        first = next((k for k in words.kids[kid] if words.lower[k] in {"who", "which", "whom", "whose"}), -1)
        return first > 0 and words.lower[first - 1] == ","

    def _covered(self, clause: Clause, kid: int) -> Place:
        place = clause.place
        for entry in clause.entries:
            if self._covers(entry, kid):
                place = place.under(entry.signature)
        return place

    def _covers(self, entry: Entry, kid: int) -> bool:
        """Whether an operator over a clause has a part of the clause in its scope."""
        words = self.words
        if kid == entry.own:
            return False
        if entry.wide:
            return words.rel[kid] not in _APART - {"punct", "cc"}
        if words.rel[kid] in _APART or kid < entry.place:
            return False
        if words.rel[kid] != "advcl":
            return True
        if any(hung.node == kid for hung in self.cues.around.get(words.head[kid], ())):
            return False  # a condition is wider than all that its main clause says
        marks = {words.lower[k] for k in words.kids[kid] if words.rel[k] in {"mark", "advmod"}}
        return not marks & _FACTUAL and (entry.own >= 0 or not marks & _BESIDE)

    def _of_conjunct(self, clause: Clause, kid: int) -> Place:
        """Return the place of a conjunct: it shares the operators to its left that it has no other for."""
        words, node = self.words, clause.node
        relations = {words.rel[k] for k in words.kids[kid]}
        if self._is_nominal(node) and not self._is_predicate(node):
            apart = (kid in self.cues.quantifiers or "det" in relations) and kid not in self.cues.nor
            return clause.place if apart else clause.inner
        shares = not relations & {"nsubj", "expl"}
        like = kid in self.cues.nor or (self._is_alike(node, kid) and not relations & {"aux", "cop"})
        if shares and not relations & {"aux", "cop"} and self._form(kid) == "ing" != self._form(node):
            return self._covered(clause, kid)  # no conjunct of "there is": what it joins stands deeper
        place = clause.place
        for entry in clause.entries:
            if entry.wide or (shares and entry.place < node and (entry.own >= 0 or like)):
                place = place.under(entry.signature)
        return place

    def _is_alike(self, node: int, kid: int) -> bool:
        """Whether a conjunct stands in the form of the first, so that an auxiliary or a negation may serve both."""
        words = self.words
        if any(words.lower[k] in {"but", "yet", ";"} for k in words.kids[kid]):
            return False
        return words.pos[node] != "VERB" or self._form(node) == self._form(kid)

    def _form(self, node: int) -> str:
        low, lemma = self.words.lower[node], self.words.lemma[node]
        return "plain" if low == lemma else "ing" if low.endswith("ing") else "past"

    def _edge(self, source: int, target: int, name: str) -> None:
        if source != target:
            self.edges.append((source, target, _EDGES[name]))
