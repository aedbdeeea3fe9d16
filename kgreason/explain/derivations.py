"""How a composed relation was found: the facts it rests on, and the rule that each cycle used."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.tensors import Chart

Fact = tuple[str, str, str]
#: A score that rose by less than this did not rise.
_STILL = 1e-5


@final
@dataclass(frozen=True, slots=True)
class Rule:
    """A relation followed by another comes to a third.

    Args:
        cycle: In which cycle it was used; 0 for a fact, which has no parts.
        ends: The nodes it leads from, through, and to; of a fact the first two are the same.
        parts: The symbols of both parts; empty for a fact.
        result: The symbol that holds between the ends.
        sure: What the table has for it; of a fact, how sure the fact is.
    """

    cycle: int
    ends: tuple[int, int, int]
    parts: tuple[int, ...]
    result: int
    sure: float


@final
@dataclass(frozen=True, slots=True, eq=False)
class Derivations:
    """The charts of a batch, as arrays."""

    score: ndarray
    table: ndarray
    node: ndarray
    pair: ndarray
    directed: int

    @classmethod
    def of(cls, chart: Chart) -> "Derivations":
        """Take them from the decoder's trace."""
        score, table, node, pair = (
            array.detach().cpu().numpy() for array in (chart.score, chart.table, chart.node, chart.pair)
        )
        return cls(score, table, node, pair, chart.directed)

    def of_row(self, row: int) -> list[Rule]:
        """Return the best derivation of the relation that a row asks about, parts before what they come to.

        Facts stand in the order of the path. Empty if nothing was found, or nothing is asked.
        """
        source, target = self.pair[:, row].tolist()
        if source < 0 or target < 0 or not self.score.shape[2]:
            return []
        last = self.score[-1, row, source, target]
        if last.max() <= 0:
            return []
        return self._derive(row, len(self.score) - 1, source, target, int(last.argmax()))

    def facts(self, row: int, name: Callable[[int], str], knowledge: KnowledgeGraph) -> tuple[Fact, ...]:
        """Return the facts that the answer of a row rests on, in the order of the path.

        Args:
            row: The row.
            name: What a node of the batch is called.
            knowledge: The graph whose relations the symbols are.
        """
        symbols = symbol_names(knowledge, len(self.table), self.directed)
        return tuple(
            (name(rule.ends[0]), symbols[rule.result], name(rule.ends[2]))
            for rule in self.of_row(row)
            if not rule.parts
        )

    def used(self, row: int, cycle: int, name: Callable[[int], str], knowledge: KnowledgeGraph) -> str:
        """Say which rules a cycle (counted from 0) contributed to the answer: "brother ∘ father → uncle 0.98: …"."""
        symbols = symbol_names(knowledge, len(self.table), self.directed)
        told = []
        for rule in self.of_row(row):
            if rule.cycle == cycle + 1:
                first, second = (symbols[part] for part in rule.parts)
                people = " → ".join(map(name, rule.ends))
                told.append(f"{second} ∘ {first} → {symbols[rule.result]} {rule.sure:.2f}: {people}")
        return "; ".join(told)

    def _derive(self, row: int, step: int, x: int, z: int, r: int) -> list[Rule]:
        history = self.score[: step + 1, row, x, z, r]
        cycle = int(np.argmax(history >= history[-1] - _STILL))
        node = self.node[row]
        if cycle == 0:
            return [Rule(0, (int(node[x]), int(node[x]), int(node[z])), (), r, float(history[0]))]
        e = self.score[cycle - 1, row]
        through = np.einsum("yp,pq,yq->ypq", e[x], self.table[..., r], e[:, z])
        y, p, q = _best(through)
        before = self._derive(row, cycle - 1, x, y, p)
        after = self._derive(row, cycle - 1, y, z, q)
        ends = (int(node[x]), int(node[y]), int(node[z]))
        return [*before, *after, Rule(cycle, ends, (p, q), r, float(self.table[p, q, r]))]


def _best(through: ndarray) -> tuple[int, int, int]:
    """Return the place between and the pair of relations that carry most."""
    y = int(through.sum((1, 2)).argmax())
    p, q = np.unravel_index(int(through[y].argmax()), through.shape[1:])
    return y, int(p), int(q)


def symbol_names(knowledge: KnowledgeGraph, symbols: int, directed: int) -> tuple[str, ...]:
    """Return what each symbol of a composing decoder is called.

    `^r` is relation `r` taken backwards; symbols that no relation stands for are `latent 1`, `latent 2`, …

    >>> graph = KnowledgeGraph.from_triples([("Ann", "son", "Bob")])
    >>> symbol_names(graph, 3, 2)
    ('son', '^son', 'latent 1')
    """
    names = list(knowledge.relations)
    names += [f"^{name}" for name in names[: directed - len(names)]]
    return (*names, *(f"latent {i + 1}" for i in range(symbols - directed)))
