"""Knowledge that is wrong on purpose: the controls of the room `ground`."""

import weakref
from collections.abc import Sequence
from typing import final

from kgreason.data import KnowledgeGraph, LogicGraph
from kgreason.data.perturbed import checked_mode, perturb_graph
from kgreason.rooms import Grounder


@final
class PerturbGrounder:
    """Grounds as another grounder would, in a graph whose facts have been spoilt.

    A model that does as well with it as with the real graph has not used what the graph says. What is spoilt is chosen
    by `mode`; see `perturb_graph`. Entities and their labels stay, so linking is the same. Each graph is spoilt once
    and then kept. A decoder that walks the graph by itself still sees the real one: for it, spoil the graph where it
    comes from (`[knowledge] name = "perturb"`).

    Args:
        around: The grounder to wrap.
        mode: `tails`, `relations`, `rewire` or `drop`.
        share: For `drop`: the share of the triples that is removed.
        seed: Which of the many spoilt graphs.
    """

    def __init__(self, around: Grounder, mode: str = "tails", share: float = 0.5, seed: int = 0) -> None:
        self.around, self.mode, self.share, self.seed = around, checked_mode(mode, share), share, seed
        self._kept: weakref.WeakKeyDictionary[KnowledgeGraph, KnowledgeGraph] = weakref.WeakKeyDictionary()

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        if knowledge not in self._kept:
            self._kept[knowledge] = perturb_graph(knowledge, self.mode, self.share, self.seed)
        return self.around(graphs, self._kept[knowledge])
