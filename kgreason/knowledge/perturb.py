"""A source whose facts have been spoilt: the control of everything that reads a graph, decoders that walk it too."""

from typing import final

from kgreason.data import KnowledgeGraph
from kgreason.data.perturbed import checked_mode, perturb_graph
from kgreason.rooms import Source


@final
class PerturbedSource:
    """Reads the graph of another source and spoils its facts.

    Unlike the grounder of the same name, what is spoilt is the graph of the whole run: linking (whose names stay), what
    is brought in, the walk of a decoder, and the ceiling that a task measures. In an experiment file:

        [knowledge]
        name   = "perturb"
        around = "metaqa"              # or a table: { name = "triples", path = "graph.tsv" }
        mode   = "tails"

    Args:
        around: Where the graph comes from.
        mode: `tails`, `relations`, `rewire` or `drop`; see `kgreason.data.perturbed.perturb_graph`.
        share: For `drop`: the share of the triples that is removed.
        seed: Which of the many spoilt graphs.

    Raises:
        ConfigError: For an unknown mode or a share outside of [0, 1].
    """

    def __init__(self, around: Source, mode: str = "tails", share: float = 0.5, seed: int = 0) -> None:
        self.around, self.mode, self.share, self.seed = around, checked_mode(mode, share), share, seed

    def __call__(self) -> KnowledgeGraph:
        return perturb_graph(self.around(), self.mode, self.share, self.seed)
