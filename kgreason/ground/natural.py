"""The natural-logic relation between two words or phrases, as a distribution over the seven."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, final

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from kgreason.data import JOIN, UPOS, Entailment, KnowledgeGraph
from kgreason.ground.amounts import compare
from kgreason.ground.morphology import having, lacking, spelling
from kgreason.ground.phrase import head_of, head_within
from kgreason.ground.reasons import reason_of
from kgreason.ground.sense_graph import MAPPING, sense_graph
from kgreason.ground.sense_pairs import EVIDENCE
from kgreason.ground.senses import SenseStore
from kgreason.ground.term import Term
from kgreason.ground.verdict import features, spread, verdicts
from kgreason.ground.word_facts import word_facts

__all__ = ["MAPPING", "NaturalRelations", "Term"]

Pair: TypeAlias = tuple[Term, Term]
Told: TypeAlias = tuple[Float32[ndarray, " 7"], str]

_FREE = Entailment.INDEPENDENCE
_MOST_PAIRS = 1_000_000
_IS_A = 0.2
#: A kind of it, so plainly that it is no mere member of the same list.
_IS_KIND = 0.7
_SAME, _SAME_LETTERS, _QUANTITY, _HAVING = 0.97, 0.93, 0.97, 0.85
_ADJ, _NOUN = UPOS.id("ADJ"), UPOS.id("NOUN")
_LONGER = spread(Entailment.FORWARD, 0.93)  # a phrase is more special than its head
_SHORTER = spread(Entailment.REVERSE, 0.93)
_ONE_HOT = np.eye(7, dtype=np.float32)[JOIN]  # (first, then, joined)


def _by_suffix(first: Term, second: Term) -> Told | None:
    """Tell of a noun and of an adjective that says that something has it, or has it not: "beard", "bearded"."""
    for adjective, noun in ((first, second), (second, first)):
        if adjective.pos == _ADJ and noun.pos == _NOUN:
            if having(adjective.lemma, noun.lemma):
                return spread(Entailment.EQUIVALENCE, _HAVING), f"{first.text} ≡ {second.text}: what has it"
            if lacking(adjective.lemma, noun.lemma):
                return spread(Entailment.NEGATION, _HAVING), f"{first.text} ^ {second.text}: what has it not"
    return None


@final
class NaturalRelations:
    r"""Tells how two words or phrases are related, by the first of four sources that knows.

    1. their form: the same lemma; spelling variants;
    2. facts about words (`WordFacts`): opposites, closed classes, function words;
    3. quantities (`compare`): numbers, ordinals, dates, measures, as sets of what is possible;
    4. the knowledge graphs: evidence of the senses (`SenseGraph`), negation by prefix or suffix, parts of speech,
       weighed by a fixed table of log-odds (`verdicts`); of a phrase without a name, that of its head, joined with
       "phrase ⊏ head".

    The relation is the one at an upward place, in the reading that premise and hypothesis tell of one scene: what
    excludes, excludes. Results are remembered.

    Args:
        knowledge: The graph whose labels are looked up.
        mapping: Which relations of a graph say what, where its own rules do not; see `MAPPING`.
        facts: `english`: those that ship with the package; a path: a file of the same form; `none`.
        others: Further graphs; the strongest evidence of all counts.
        max_senses: How many senses of a word are looked at, the likeliest first.
    """

    def __init__(
        self,
        knowledge: KnowledgeGraph,
        mapping: Mapping[str, tuple[str, ...]] = MAPPING,
        facts: str = "english",
        others: Sequence[KnowledgeGraph] = (),
        max_senses: int = 12,
    ) -> None:
        self.facts = word_facts(facts)
        self.graphs = (knowledge, *others)
        self._compared = [sense_graph(graph, graph.rules.by_meaning or mapping, self.facts) for graph in self.graphs]
        self._stores = [SenseStore(graph, max_senses) for graph in self.graphs]
        self._known: dict[Pair, Told] = {}

    def between(self, pairs: Sequence[Pair]) -> tuple[Float32[ndarray, "7 pairs"], tuple[str, ...]]:
        """Return a distribution over `Entailment` for each pair (first to second), and why it is so, in words.

        Args:
            pairs: Two terms each.
        """
        known = self._known
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in known]
        if fresh:
            if len(known) > _MOST_PAIRS:
                known.clear()
                fresh = list(dict.fromkeys(pairs))
            self._learn(fresh)
        found = [known[pair] for pair in pairs]
        if not found:
            return np.zeros((7, 0), np.float32), ()
        return np.stack([told[0] for told in found], 1), tuple(told[1] for told in found)

    def _learn(self, pairs: Sequence[Pair]) -> None:
        rest, listed = [], []
        for pair in pairs:
            told = self._by_form(*pair)
            if told is None:
                rest.append(pair)
            else:
                self._known[pair] = told
                listed += [pair] if told[0].argmax() == Entailment.ALTERNATION else []
        rest = [*self._lineal(listed), *self._by_head(rest)]
        if rest:
            self._by_senses(rest)

    def _lineal(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Return the pairs of which one is just above the other in the graphs, whatever list both stand in: melons."""
        if not pairs:
            return []
        strength, witness, _, _ = self._evidence(pairs)
        ways = [EVIDENCE.index("forward"), EVIDENCE.index("reverse")]
        near = ((strength[:, ways] > _IS_KIND) & (witness[:, ways] == 1)).any(1)
        return [pair for pair, kin in zip(pairs, near.tolist(), strict=True) if kin]

    def _by_form(self, first: Term, second: Term) -> Told | None:
        if first.lemma == second.lemma or first.text.lower() == second.text.lower():
            return spread(Entailment.EQUIVALENCE, _SAME), f"{first.text} ≡ {second.text}: the same word"
        fact = self.facts.between(first, second)
        if fact is not None and fact.relation != _FREE:
            return spread(fact.relation, fact.sure), f"{first.text} {fact.relation.symbol} {second.text}: {fact.about}"
        counted = compare(first.text, second.text)
        if counted is not None:
            relation, sure = counted
            return spread(relation, _QUANTITY * sure), f"{first.text} {relation.symbol} {second.text}: by number"
        if spelling(first.lemma) == spelling(second.lemma):
            return spread(Entailment.EQUIVALENCE, _SAME_LETTERS), f"{first.text} ≡ {second.text}: spelled differently"
        return _by_suffix(first, second) or self._by_modifier(first, second)

    def _by_modifier(self, first: Term, second: Term) -> Told | None:
        """Tell of two phrases with one head what facts say of their modifiers: "metal bar", "wooden bar"."""
        left, right = first.lemma.split(), second.lemma.split()
        if len(left) != 2 or len(right) != 2 or left[1] != right[1]:
            return None
        fact = self.facts.between(Term(left[0], left[0], -1), Term(right[0], right[0], -1))
        if fact is None or fact.relation == _FREE:
            return None
        return spread(fact.relation, fact.sure), f"{first.text} {fact.relation.symbol} {second.text}: {fact.about}"

    def _by_head(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Tell of pairs with a phrase that has no name, by its head; return the others."""
        rest, long = [], []
        for pair in pairs:
            heads = self._heads(pair)
            if heads == pair:
                rest.append(pair)
            else:
                long.append((pair, heads))
        if long:
            relation, reasons = self.between([heads for _, heads in long])
            for i, (pair, heads) in enumerate(long):
                told = relation[:, i]
                if heads[0] is not pair[0]:
                    told = np.einsum("i,j,ijk->k", _LONGER, told, _ONE_HOT)
                if heads[1] is not pair[1]:
                    told = np.einsum("i,j,ijk->k", told, _SHORTER, _ONE_HOT)
                self._known[pair] = told.astype(np.float32), f"{pair[0].text} | {pair[1].text}: heads, {reasons[i]}"
        return rest

    def _heads(self, pair: Pair) -> Pair:
        """Return what is compared instead of the terms: the head of a phrase that has no name, or that heads it."""
        first, second = pair
        return self._head(first, second), self._head(second, first)

    def _head(self, term: Term, other: Term) -> Term:
        if " " not in term.text:
            return head_within(term, self._has) or term
        head = head_of(term)
        if head is None:
            return term
        if self._has(term):
            return head if head.lemma == other.lemma and self._is_a(term, head) else term
        return head

    def _has(self, term: Term) -> bool:
        return any(store.knows(term) for store in self._stores) or bool(self.facts.of(term))

    def _is_a(self, phrase: Term, head: Term) -> bool:
        """Whether the graphs have a phrase below its head, or as another word for it: a hot dog is no dog."""
        strength = self._evidence([(phrase, head)])[0][0]
        return bool(max(strength[EVIDENCE.index("forward")], strength[EVIDENCE.index("synonym")]) > _IS_A)

    def _by_senses(self, pairs: Sequence[Pair]) -> None:
        rows, witness, owner = self.features(pairs)
        told = verdicts(rows)
        for i, pair in enumerate(pairs):
            relation = Entailment(int(told[i].argmax()))
            strength, graph = rows[i, : len(EVIDENCE)], self.graphs[owner[i]]
            self._known[pair] = told[i], reason_of(pair, relation, strength, witness[i], graph, self.facts)

    def features(
        self, pairs: Sequence[Pair]
    ) -> tuple[Float32[ndarray, "pairs features"], Int32[ndarray, "pairs kinds"], list[int]]:
        """Return what speaks for each relation, where neither form nor facts decide: see `verdict.FEATURES`.

        Args:
            pairs: Two terms each.

        Returns:
            The features; what shows the evidence; the position of the graph that says most.
        """
        strength, witness, owner, known = self._evidence(pairs)
        facts = [self.facts.between(first, second) for first, second in pairs]
        together = [fact.sure if fact is not None and fact.relation == _FREE else 0.0 for fact in facts]
        return features(strength, pairs, known, together), witness, owner

    def decided(self, pair: Pair) -> bool:
        """Whether form, facts or the head of a phrase decide about a pair, and not evidence."""
        return self._by_form(*pair) is not None or self._heads(pair) != pair

    def _evidence(
        self, pairs: Sequence[Pair]
    ) -> tuple[Float32[ndarray, "pairs kinds"], Int32[ndarray, "pairs kinds"], list[int], list[tuple[bool, bool]]]:
        terms = list(dict.fromkeys(term for pair in pairs for term in pair))
        number = {term: i for i, term in enumerate(terms)}
        left, right = np.array([(number[a], number[b]) for a, b in pairs], np.int64).reshape(-1, 2).T
        strength = np.zeros((len(pairs), len(EVIDENCE)), np.float32)
        witness = np.full((len(pairs), len(EVIDENCE)), -1, np.int32)
        owner, most = np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.float32)
        for g, (graph, store) in enumerate(zip(self._compared, self._stores, strict=True)):
            found = graph.compare(store.pack(terms), left, right)
            better = found.strength > strength
            strength = np.where(better, found.strength, strength)
            witness = np.where(better, found.witness, witness)
            best = found.strength.max(1)
            owner, most = np.where(best > most, g, owner), np.maximum(best, most)
        has = [any(store.knows(term) for store in self._stores) for term in terms]
        return strength, witness, owner.tolist(), [(has[i], has[j]) for i, j in zip(left, right, strict=True)]
