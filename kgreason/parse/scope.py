r"""How the place of each word projects what is exchanged there: operators composed from the root down.

Every word $w$ stands in arguments of operators $o_1, \dots, o_n$, the widest first, and its place has the signature
$\sigma_{o_1} \circ \dots \circ \sigma_{o_n}$. In a clause, operators take scope in the order of the words; a
conditional takes scope over all of its main clause, and a preposition or a verb over what it opens or takes.
"""

from typing import Final, NamedTuple, final

from kgreason.data import COMPOSE, POLARITY, SEMANTIC_RELATIONS, Polarity, signature
from kgreason.data.operators import Operator, Shape, predicates
from kgreason.parse.cues import Cues, Hung, Quantified
from kgreason.parse.words import NOMINAL, Words

_THEN: Final[list[list[int]]] = COMPOSE.tolist()
_LETS: Final[list[bool]] = (POLARITY != Polarity.UPWARD).tolist()  # licenses "any"
_EVERY: Final = (signature("every, restrictor"), signature("every, scope"))
_NEITHER: Final = signature("none")
_ARGUMENT: Final = frozenset({"nsubj", "csubj", "obj", "iobj", "obl", "dislocated"})
_APART: Final = frozenset({"punct", "discourse", "vocative", "parataxis", "cc"})
_WITHIN: Final = frozenset(
    {"amod", "nmod", "compound", "flat", "nummod", "appos", "acl", "clf", "fixed", "goeswith", "dep"}
)
_FACTUAL: Final = frozenset({"because", "although", "though", "since", "whereas"})
_BESIDE: Final = frozenset({"while", "when", "as", "after", "before", "until"})
_OUTER: Final = frozenset({"det", "case", "mark", "cc", "punct"})
_EDGE: Final = {
    name: SEMANTIC_RELATIONS.id(name) for name in ("argument", "modifier", "negates", "quantifies", "conjoins")
}
_NEGATIONS: Final = frozenset({"not", "never", "no longer", "nowhere", "hardly", "rarely"})


class Entry(NamedTuple):
    """An operator over one clause."""

    wide: bool
    place: float
    signature: int
    own: int  # the child of the clause's head that holds it, and that it does not cover; or -1
    token: int
    name: str


@final
class Scopes:
    """Signatures of all words, and the SEMANTIC edges from operators to the heads of their arguments.

    Args:
        words: The words and their trees.
        cues: What hangs on them.
        place: The signature of the place of each root.
    """

    def __init__(self, words: Words, cues: Cues, place: dict[int, int]) -> None:
        self.words, self.cues = words, cues
        self.signature = [0] * len(words)
        self.edges: list[tuple[int, int, int]] = []
        self._outer = [0] * len(words)
        self._of_token: dict[int, int] = {}
        self._stack = [(root, sign, _LETS[sign]) for root, sign in place.items()]
        while self._stack:
            self._visit(*self._stack.pop())
        for token, sign in self._of_token.items():
            self.signature[token] = sign
        for token, node in cues.inside.items():
            self.signature[token] = self._outer[node]

    def _visit(self, node: int, place: int, lets: bool) -> None:
        """Find the signatures of a word and of the places of its dependents."""
        words, cues = self.words, self.cues
        for opened, token in cues.openers.get(node, ()):
            self._of_token[token] = place
            place = _THEN[place][opened]
            lets = lets or _LETS[opened]
            self._edge(token, node, "argument")
        self._outer[node] = place
        entries = self._entries(node, lets)
        here, here_lets = place, lets
        for entry in entries:
            self._of_token[entry.token] = here
            if entry.place < node or entry.name != "not":
                here = _THEN[here][entry.signature]
                here_lets = here_lets or _LETS[entry.signature]
        inner, inner_lets, part = self._restricted(node, here, here_lets)
        joined = self._join(node)
        own = _THEN[inner][joined] if part < 0 else inner
        self.signature[node] = own
        taken = self._taken(node)
        for kid in words.kids[node]:
            rel = words.rel[kid]
            if rel == "det" or (rel in {"case", "mark", "cc"}):
                self._stack.append((kid, place, lets))
                continue
            if rel == "conj":
                sign, kid_lets = self._conjunct(node, kid, place, lets, entries, (inner, inner_lets))
                self._stack.append((kid, _THEN[sign][joined], kid_lets))
                continue
            within = part < 0 and rel in _WITHIN and words.pos[node] in NOMINAL
            if within or kid == part or self._of_superlative(node, kid):
                sign, kid_lets = (own if kid > node else inner), inner_lets
                if part >= 0 and kid == part:
                    sign, kid_lets = inner, inner_lets
            else:
                sign, kid_lets = self._covered(node, kid, place, lets, entries)
                if joined and kid > node and rel not in _APART:
                    sign = _THEN[sign][joined]
            if kid in taken:
                sign, kid_lets = _THEN[sign][taken[kid]], kid_lets or _LETS[taken[kid]]
            self._stack.append((kid, sign, kid_lets))

    def _entries(self, node: int, lets: bool) -> list[Entry]:
        """Return the operators over the clause of a word, the widest first."""
        words, cues = self.words, self.cues
        found = []
        for hung in cues.around.get(node, ()):
            found.append(Entry(True, -1.0, hung.signature, hung.node, hung.token, hung.name))
            self._edge(hung.token, node, "quantifies")
        for hung in cues.adverbs.get(node, ()):
            found.append(Entry(False, hung.place, hung.signature, -1, hung.token, hung.name))
            self._edge(hung.token, node, "negates" if hung.name in _NEGATIONS else "quantifies")
        for hung in cues.focus.get(node, ()):
            found.append(Entry(False, hung.place, cues_scope(hung), hung.node, hung.token, hung.name))
            self._edge(hung.token, node, "quantifies")
        waiting = []
        for kid in words.kids[node]:
            if words.rel[kid] in _ARGUMENT or (words.rel[kid] == "nmod" and kid < node) or self._bare(kid):
                waiting += [(q, kid) for q in self._held(kid)]
        waiting += [(q, -1) for q in cues.quantifiers.get(node, ()) if self._predicates(node)]
        for q, kid in waiting:
            self._edge(q.token, node, "quantifies")
            if q.operator.scope >= 0:
                found.append(Entry(False, float(q.place), q.operator.scope, kid, q.token, q.operator.name))
            elif q.operator.name == "any":
                found.append(Entry(False, float(q.place), -1, kid, q.token, "any"))
        found.sort(key=lambda entry: (not entry.wide, entry.place))
        return self._settle(node, found, lets)

    def _settle(self, node: int, found: list[Entry], lets: bool) -> list[Entry]:
        """Make "any" universal where nothing before it licenses it, and drop it where something does."""
        entries = []
        for entry in found:
            if entry.name == "any" and entry.signature < 0:
                if lets or any(_LETS[e.signature] for e in entries if e.wide or e.own != entry.own):
                    continue
                entry = entry._replace(signature=_EVERY[1])  # noqa: PLW2901
            entries.append(entry)
        return entries

    def _bare(self, kid: int) -> bool:
        """Whether a quantified noun hangs on its clause as what it is not."""
        return kid in self.cues.quantifiers and self.words.rel[kid] in {"advmod", "xcomp", "ccomp", "dep", "expl"}

    def _held(self, kid: int) -> list[Quantified]:
        """Return the quantifiers of a noun phrase that reach out of it: its own, its conjuncts', its possessor's."""
        words, cues = self.words, self.cues
        if any(words.lower[k] == "with" and words.rel[k] == "case" for k in words.kids[kid]):
            return []  # "in a coat with no buttons", wherever the tree has it
        found = list(cues.quantifiers.get(kid, ()))
        for k in words.kids[kid]:
            if words.rel[k] == "conj" or (words.rel[k] == "nmod" and k < kid):
                found += cues.quantifiers.get(k, ())
        return found

    def _predicates(self, node: int) -> bool:
        return any(self.words.rel[k] in {"nsubj", "cop", "expl", "aux"} for k in self.words.kids[node])

    def _covered(self, node: int, kid: int, place: int, lets: bool, entries: list[Entry]) -> tuple[int, bool]:
        for entry in entries:
            if self._covers(entry, node, kid):
                place = _THEN[place][entry.signature]
                lets = lets or _LETS[entry.signature]
        return place, lets

    def _covers(self, entry: Entry, node: int, kid: int) -> bool:
        words = self.words
        if kid == entry.own:
            return False
        if entry.wide:
            return words.rel[kid] not in {"discourse", "vocative", "parataxis"}
        if words.rel[kid] in _APART or kid < entry.place:
            return False
        if words.rel[kid] == "advcl":
            marks = {words.lower[k] for k in words.kids[kid] if words.rel[k] in {"mark", "advmod"}}
            if marks & _FACTUAL or (entry.own < 0 and marks & _BESIDE):
                return False
        return True

    def _conjunct(
        self, node: int, kid: int, place: int, lets: bool, entries: list[Entry], inner: tuple[int, bool]
    ) -> tuple[int, bool]:
        """Return the signature of the place of a conjunct: what it shares with the first."""
        words, cues = self.words, self.cues
        relations = {words.rel[k] for k in words.kids[kid]}
        if words.pos[node] in NOMINAL and not self._predicates(node):
            apart = (kid in cues.quantifiers or "det" in relations) and kid not in cues.nor
            return (place, lets) if apart else inner
        shared = [e for e in entries if e.wide]
        if not relations & {"nsubj", "expl"}:
            like = self._alike(node, kid) and not relations & {"aux", "cop"} and not self._opposed(kid)
            like = like or kid in cues.nor
            subjects = {k for k in words.kids[node] if words.rel[k] in {"nsubj", "csubj"} or k < node}
            shared = [e for e in entries if e.wide or (e.own in subjects) or (e.own < 0 and like and e.place < node)]
        for entry in shared:
            place, lets = _THEN[place][entry.signature], lets or _LETS[entry.signature]
        return place, lets

    def _alike(self, node: int, kid: int) -> bool:
        return self._form(node) == self._form(kid) or self.words.pos[node] != "VERB"

    def _form(self, node: int) -> str:
        low = self.words.lower[node]
        return "ing" if low.endswith("ing") else "plain" if low == self.words.lemma[node] else "past"

    def _opposed(self, kid: int) -> bool:
        return any(self.words.lower[k] in {"but", "yet", ";"} for k in self.words.kids[kid])

    def _restricted(self, node: int, place: int, lets: bool) -> tuple[int, bool, int]:
        """Return the signature inside a noun phrase, and the word that alone it holds for ("all of the | men") or -1."""
        if node in self.cues.superlative:
            place, lets = _THEN[place][_NEITHER], True
        part = -1
        for q in self.cues.quantifiers.get(node, ()):
            first = q.operator.first
            if q.operator.name == "any":
                first = 0 if lets else _EVERY[0]
            place, lets = _THEN[place][first], lets or _LETS[first]
            part = q.part if q.part >= 0 else part
            self._edge(q.token, q.part if q.part >= 0 else node, "argument")
        return place, lets, part

    def _of_superlative(self, node: int, kid: int) -> bool:
        return node in self.cues.superlative and self.words.opens(kid, "of")

    def _join(self, node: int) -> int:
        signature_, token = self.cues.joined.get(node, (0, -1))
        if token < 0:
            return 0
        conjuncts = [node, *(k for k in self.words.kids[node] if self.words.rel[k] == "conj")]
        for conjunct in conjuncts:
            self._edge(token, conjunct, "conjoins")
        return signature_

    def _taken(self, node: int) -> dict[int, int]:
        """Return the complements of a word that is an operator on them, and their signatures."""
        words = self.words
        lemma = words.lemma[node]
        if not lemma or words.pos[node] not in {"VERB", "ADJ", "NOUN", "AUX", "ADV"}:
            return {}
        found = {}
        for kid in words.kids[node]:
            operator = self._takes(lemma, node, kid)
            if operator is not None:
                found[kid] = operator.first
                self._edge(node, kid, "argument")
        return found

    def _takes(self, lemma: str, node: int, kid: int) -> Operator | None:
        words = self.words
        rel = words.rel[kid]
        if rel in {"obj", "obl", "nmod"} and words.pos[kid] in NOMINAL:
            case = next((words.lower[k] for k in words.kids[kid] if words.rel[k] == "case"), "")
            if case:
                return predicates().get((f"{lemma}-{case}", "np")) or (
                    predicates().get((lemma, "np"))
                    if case in {"of", "from"} and words.pos[node] != "VERB" or case == "from"
                    else None
                )
            strong = any(
                q.operator.shape == Shape.DETERMINER and q.operator.name != "any"
                for q in self.cues.quantifiers.get(kid, ())
            )
            return predicates().get((lemma, "np")) if rel == "obj" and not strong else None
        if rel not in {"xcomp", "ccomp", "csubj", "advcl", "acl", "obl", "obj"} or (
            rel == "acl" and words.pos[node] != "NOUN"
        ):
            return None
        frame = self._frame(kid)
        if rel in {"advcl"} and frame not in {"to", "ing"}:
            return None
        if words.opens(kid, "from"):
            return predicates().get((f"{lemma}-from", "ing")) or predicates().get((lemma, "ing"))
        if rel == "advcl" and (frame == "ing" or words.pos[node] == "VERB"):
            return None
        return predicates().get((lemma, frame))

    def _frame(self, kid: int) -> str:
        words = self.words
        kids = words.kids[kid]
        marks = {words.lower[k] for k in kids if words.rel[k] == "mark"}
        if marks & {"whether", "if"} or any(words.lower[k].startswith(("wh", "how")) and k < kid for k in kids):
            return "whether"
        if "to" in marks:
            return "to"
        if "that" in marks or any(words.rel[k] == "nsubj" for k in kids):
            return "that"
        if words.lower[kid].endswith("ing"):
            return "ing"
        return "to" if words.pos[kid] == "VERB" else ""

    def _edge(self, source: int, target: int, name: str) -> None:
        if source != target:
            self.edges.append((source, target, _EDGE[name]))


_FOCUS_SCOPE: Final = {"only": signature("downward only"), "not only": signature("upward")}


def cues_scope(hung: Hung) -> int:
    """Return the signature of the rest of the clause of a focus."""
    return _FOCUS_SCOPE[hung.name]
