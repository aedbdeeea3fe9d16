"""The decoder that walks without training: it follows the relations that the question's own words name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, final, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from kgreason import frontier
from kgreason.decode.alignment import PRICES, Beam, Prices, Reading, begin, extend, finish
from kgreason.decode.control import on_nodes
from kgreason.decode.transfer import HOPS, Path, start
from kgreason.errors import ConfigError
from kgreason.frontier import Facts, Hops
from kgreason.tensors import Frontier, GraphBatch, States, Trace, Walk

_WORD, _ENTITY = 0, 3  # NodeType: the tensor side does not import the symbol side


class Sense(NamedTuple):
    """What a word of a question says of the relations of a graph.

    Args:
        names: How well it names each directed relation, in [0, 1].
        kind: How well it names what each directed relation starts from: film, of one that leads from films.
        asks: 1 for relations that lead to what the word asks after (who: persons), -1 for those that do not; else 0.
        weight: 0 for a word that says nothing by itself, such as *of*; else 1.
        turns: Whether it hints that a path turns back: same, share, also.
        seeks: Whether the next word that says something is what is asked for: what, which.
    """

    names: Float[Tensor, " directed"]
    kind: Float[Tensor, " directed"]
    asks: Float[Tensor, " directed"]
    weight: float
    turns: bool
    seeks: bool


@runtime_checkable
class Senses(Protocol):
    """Tells the sense of a word, given as the ids of its tokens."""

    def __call__(self, word: tuple[int, ...]) -> Sense: ...


class _Found(NamedTuple):
    """Paths of one length: what they explain, where they come from, and where they lead."""

    beam: Beam
    value: Float[Tensor, "batch beam"]
    reached: Frontier


@final
class SimilarDecoder(nn.Module):
    r"""Follows, cycle by cycle, the relations that explain what of the question is not yet explained. Trains nothing.

    A path $p = r_1 \dots r_i$ explains a question by an alignment: its words, put in order from the mention of the seed
    outwards, are cut into one stretch per relation, the relation nearest the mention first. With $m_{tr}$ how well word
    $t$ names relation $r$ (`Sense.names`),

    $$y_i[t] = \max_{u \le t}\; y_{i-1}[u] + \sum_{u < v \le t} c_{v r_i} + \rho \max_{u < v \le t} s_v m_{v r_i} - \mu,
      \qquad c_{vr} = \begin{cases} m_{vr} - \tau & m_{vr} > \tau \\ -\kappa & \text{else} \end{cases}$$

    where $s_v = \min(1, \sqrt{2/n_v})$ of a word that surely names $n_v$ relations, and tells them apart the less. So
    every relation pays $\mu$ and should be named by a word, and every word should be explained by a relation. $y_i$ is
    what a cycle hands to the next: how well each beginning of the question is explained by what was followed so far.
    A path may stop after cycle $i$ with the score $y_i[\text{all}]$, in which words that nothing explains count
    against it, plus or minus what the question asks after (who, when, where): that is the stop. The best `beam` paths
    of each length are kept, among relations that leave where their walks stand, without turning back along a fact, and

    $$P(p) = \mathrm{softmax}_p(\mathrm{score}(p) / T)$$

    The empty path is among them: it explains no word, and costs $\kappa$ for each and $\nu$. Its share is how likely it
    is that nothing in the graph answers (`Walk.nothing`); the others are then weighed among themselves.

    Each path is walked exactly; cycle $i$ counts $\sum_{|p| = i} P(p)$, its frontier is the mixture of the walks.

    Args:
        facts: The knowledge graph.
        senses: Tells what words say of its relations.
        cycles: How many hops a path may have.
        beam: How many paths of a length are kept for each question.
        temperature: $T$.
        prices: $\tau$, $\kappa$, $\rho$, $\mu$, $\nu$ and others; see `Prices`.
        walk: How the walk goes; see `Hops`.

    Raises:
        ConfigError: If a number is out of range.

    Reference:
        Ours. Late interaction, each side to be explained by the other, after ColBERT (Khattab and Zaharia, 2020,
        arXiv:2004.12832); the alignment is dynamic time warping (Sakoe and Chiba, 1978) of words and relations.
    """

    def __init__(
        self,
        facts: Facts,
        senses: Callable[[], Senses],
        cycles: int = 3,
        beam: int = 12,
        temperature: float = 0.1,
        prices: Prices | Mapping[str, Any] = PRICES,
        walk: Hops | Mapping[str, Any] = HOPS,
    ) -> None:
        super().__init__()
        if cycles < 1 or beam < 1 or temperature <= 0:
            raise ConfigError(
                f"[decode] similar: cycles = {cycles}, beam = {beam}, temperature = {temperature}; expected at least "
                "1, at least 1, and above 0."
            )
        self.facts, self.cycles, self.beam, self.temperature = facts, cycles, beam, float(temperature)
        self.walk = Hops.of(walk)
        self.prices = prices if isinstance(prices, Prices) else Prices.of(prices)
        self.senses = senses()

    def forward(self, states: States) -> Trace:
        batch = states.batch
        reading, words = read(batch, self.senses, self.facts.num_directed)
        found, touched = self._search(reading, start(batch))
        share, nothing = self._share(found, reading)
        steps = [start(batch), *(_mixed(self.facts, each.reached, p) for each, p in zip(found, share, strict=True))]
        directed = self.facts.num_directed
        relation = torch.stack([_marginal(found[i:], share[i:], i, directed) for i in range(self.cycles)])
        weight, facts = torch.stack([p.sum(-1) for p in share]), torch.stack(touched)
        weight[0] += 1 - weight.sum(0)  # of a question without a path the first cycle answers, with nothing
        looks = _held(torch.einsum("btd,cbd->cbt", words, relation), batch.token_mask.cpu())
        running = torch.cat([torch.ones_like(facts[:1], dtype=torch.bool), facts[1:] > 0])
        device = states.query.device
        looks = looks.to(device)
        return Trace(
            output=torch.einsum("cbt,btd->cbd", looks, states.tokens),
            attention=torch.stack([on_nodes(look, batch) for look in looks]),
            running=running.to(device),
            weight=weight.to(device),
            walk=Walk(tuple(steps), relation, relation.sum(-1), facts, nothing),
        )

    def _search(self, reading: Reading, seeds: Frontier) -> tuple[list[_Found], list[Tensor]]:
        """Return the best paths of each length."""
        beam, path = begin(reading), Path(self.facts, self.walk, seeds)
        found: list[_Found] = []
        touched = []
        for _ in range(self.cycles):
            leaving = frontier.leaving(self.facts, path.steps[-1]).view(*beam.alive.shape, -1)
            beam = extend(beam, reading, leaving & beam.alive[..., None], self.beam, self.prices)
            rows, width = beam.alive.shape
            path = path.take((torch.arange(rows)[:, None] * leaving.shape[1] + beam.parent).flatten())
            last = torch.where(beam.alive, beam.path[..., -1], -1).flatten()
            weight = torch.zeros(rows * width, self.facts.num_directed).sub_(1)
            weight[last >= 0, last[last >= 0]] = 1.0
            facts = path.hop(weight)
            touched.append(facts.view(rows, width).sum(-1))
            beam = beam.keep(_some(path.steps[-1]).view(rows, width))
            found.append(_Found(beam, finish(beam, reading, self.prices), path.steps[-1]))
        return found, touched

    def _share(
        self, found: Sequence[_Found], reading: Reading
    ) -> tuple[list[Float[Tensor, "batch beam"]], Float[Tensor, " batch"]]:
        """Return the probability of each path among those of all lengths (all 0 where there is none), and of none."""
        empty = -self.prices.nothing - self.prices.unexplained * reading.weight[:, :1].sum(-1)
        value = torch.cat([*(cycle.value for cycle in found), empty], dim=1)
        p = (value / self.temperature).softmax(1)
        paths, nothing = p[:, :-1], p[:, -1]
        paths = paths / paths.sum(1, keepdim=True).clamp_min(1e-30)
        best = torch.where(paths >= 0.01, paths, 0.0)  # a path of no weight would only blur the answer
        best = best / best.sum(1, keepdim=True).clamp_min(1e-9)
        return list(torch.split(best, [cycle.value.shape[1] for cycle in found], dim=1)), nothing


def read(batch: GraphBatch, senses: Senses, directed: int) -> tuple[Reading, Float[Tensor, "batch tokens directed"]]:
    """Read the words of a batch: those outside the mentions, and how far each stands from the nearest mention.

    Returns:
        The words in three orders (from the mention outwards; before it and then after it; after and then before), and
        how well each token names each relation.
    """
    rows, tokens = batch.input_ids.shape
    node, token = batch.link_index.cpu()
    kind, graph = batch.node_type.cpu(), batch.node_graph.cpu()
    source, target = batch.edge_index.cpu()
    named = torch.zeros(len(kind), dtype=torch.bool)
    named[source[kind[target] == _ENTITY]] = True
    mention = torch.zeros(rows * tokens, dtype=torch.bool)
    mention[token[named[node]]] = True
    ids = batch.input_ids.cpu().flatten().tolist()
    pieces: dict[int, list[int]] = {}
    for n, t in zip(node.tolist(), token.tolist(), strict=True):
        if kind[n] == _WORD and not mention[t]:
            pieces.setdefault(n, []).append(t)
    of: list[list[tuple[int, Sense]]] = [[] for _ in range(rows)]
    known = torch.zeros(rows * tokens, directed)
    for n, places in pieces.items():
        sense = senses(tuple(ids[t] for t in sorted(places)))
        of[int(graph[n])].append((min(places) % tokens, sense))
        known[places] = sense.names
    spots = [torch.nonzero(row)[:, 0].tolist() for row in mention.view(rows, tokens)]
    return Reading.of(of, spots, directed), known.view(rows, tokens, directed)


def _held(looks: Float[Tensor, "cycles batch tokens"], mask: Bool[Tensor, "batch tokens"]) -> Tensor:
    """Return where each cycle looks as a distribution over tokens; one that looks nowhere holds what was before."""
    before, held = mask / mask.sum(-1, keepdim=True).clamp_min(1), []
    for look in looks:
        total = look.sum(-1, keepdim=True)
        before = torch.where(total > 0, look / total.clamp_min(1e-9), before)
        held.append(before)
    return torch.stack(held)


def _some(step: Frontier) -> Bool[Tensor, " rows"]:
    """Return which rows have anything of a score above 0."""
    return torch.zeros(step.num_rows).index_add(0, step.row, step.score) > 0


def _mixed(facts: Facts, reached: Frontier, p: Float[Tensor, "batch beam"]) -> Frontier:
    """Lay the walks of each row over one another, each weighed by its share of those of its length."""
    width = p.shape[1]
    weight = (p / p.sum(1, keepdim=True).clamp_min(1e-9)).flatten()
    score = reached.score * weight[reached.row]
    some = score > 0
    counts = torch.zeros(len(p), dtype=torch.long).index_add(
        0, reached.row[some] // width, torch.ones_like(reached.row[some])
    )
    each = Frontier(torch.cat([counts.new_zeros(1), counts.cumsum(0)]), reached.entity[some], score[some])
    joined, (place,) = frontier.unite(facts, [each])
    return joined.with_score(joined.score.index_add(0, place, each.score))


def _marginal(
    found: Sequence[_Found], share: Sequence[Tensor], step: int, directed: int
) -> Float[Tensor, "batch directed"]:
    """Return how likely each directed relation is followed in a cycle, over all paths that get there."""
    total = torch.zeros(len(share[0]), directed)
    for cycle, p in zip(found, share, strict=True):
        total = total.scatter_add(1, cycle.beam.path[..., step].clamp_min(0), p)
    return total
