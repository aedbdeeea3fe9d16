r"""A walk over a whole knowledge graph: the sparse frontier, and one hop of it, differentiable.

The graph is shared and read-only; nothing of it is copied into a batch. A frontier holds, for each row, the entities
reached so far and their scores. One hop costs what the facts it touches cost, whatever the size of the graph: relations
whose weight is below a threshold are jumped over in one binary search, since the facts of an entity are sorted by
relation.
"""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from kgreason import walking
from kgreason.errors import ConfigError
from kgreason.registry import Registry
from kgreason.tensors import Frontier


@runtime_checkable
class Columns(Protocol):
    """What a walk needs of a knowledge graph."""

    @property
    def relations(self) -> Sized: ...
    @property
    def head_ptr(self) -> ndarray: ...
    @property
    def relation(self) -> ndarray: ...
    @property
    def tail(self) -> ndarray: ...
    @property
    def tail_ptr(self) -> ndarray: ...
    @property
    def inverse(self) -> ndarray: ...
    @property
    def head(self) -> ndarray: ...


@final
@dataclass(frozen=True, slots=True)
class Hops:
    r"""How a walk goes: what stands in the table `walk` of a section `[decode]`.

    Args:
        threshold: Relations whose weight is below $\theta$ are not followed.
        budget: How many facts a row may touch in a cycle; beyond, the entities of the highest score come first, so that
            a hub costs no more than this. 0 for any number.
        returns: Whether a walk may turn back at once along the fact it came by.
        closed: Whether the weights of relations sum to 1 over all of them, those that lead nowhere included.

    Raises:
        ConfigError: If a number is out of range.
    """

    threshold: float = 1e-3
    budget: int = 200_000
    returns: bool = False
    closed: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1 or self.budget < 0:
            raise ConfigError(
                f"[decode.walk] threshold = {self.threshold}, budget = {self.budget}; expected a threshold in [0, 1) "
                "and a budget of at least 0 (0: no limit)."
            )

    @classmethod
    def of(cls, table: "Hops | Mapping[str, Any]") -> "Hops":
        """Read the table.

        Raises:
            ConfigError: If it has a key that is not an argument.
        """
        return table if isinstance(table, Hops) else WALKS.build({"name": "hops"} | dict(table))


WALKS: Registry[Hops] = Registry("decode.walk", hops=Hops)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The triples of a knowledge graph as columns, from both ends. See `KnowledgeGraph`, whose columns these are.

    Relation `r` leads from head to tail; `r + num_relations` is its inverse and leads back. So there are
    `2 * num_relations` directed relations.
    """

    num_relations: int
    head_ptr: ndarray
    relation: ndarray
    tail: ndarray
    tail_ptr: ndarray
    inverse: ndarray
    head: ndarray
    # Where an entity stands in the row at work: 0 or its place + 1. Zeros are not paged in before they are touched, so
    # that memory follows the entities touched too.
    slot: ndarray = field(init=False, repr=False)
    # A second column of the same kind, for loops that keep two accounts of an entity.
    mark: ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("slot", "mark"):
            object.__setattr__(self, name, np.zeros(self.num_entities, np.int32))

    @classmethod
    def of(cls, graph: "Columns") -> "Facts":
        """Take the columns of a knowledge graph, as they are."""
        columns = graph.head_ptr, graph.relation, graph.tail, graph.tail_ptr, graph.inverse, graph.head
        return cls(len(graph.relations), *columns)

    @property
    def num_entities(self) -> int:
        return len(self.head_ptr) - 1

    @property
    def num_directed(self) -> int:
        """How many directed relations there are: each relation and its inverse."""
        return 2 * self.num_relations

    @property
    def columns(self) -> tuple[ndarray, ...]:
        """The columns, in the order that the kernels take them."""
        return self.head_ptr, self.relation, self.tail, self.tail_ptr, self.inverse, self.head

    def opposite(self, device: torch.device | str = "cpu") -> Int[Tensor, " directed"]:
        """Return the inverse of each directed relation."""
        return torch.arange(self.num_directed, device=device).roll(self.num_relations)


def seeds(row: Int[Tensor, " seeds"], entity: Int[Tensor, " seeds"], score: Tensor, num_rows: int) -> Frontier:
    """Return the frontier before the first hop. `row` ascends; an entity stands once in a row."""
    counts = torch.bincount(row, minlength=num_rows)
    return Frontier(torch.cat([counts.new_zeros(1), counts.cumsum(0)]), entity.to(torch.int32), score)


def leaving(facts: Facts, frontier: Frontier) -> Bool[Tensor, "batch directed"]:
    """Return which directed relations leave at least one entity of each row."""
    mask = walking.leaving(facts.columns, frontier.ptr.numpy(), frontier.entity.numpy(), facts.num_relations)
    return torch.from_numpy(mask)


def hop(
    facts: Facts, frontier: Frontier, weight: Float[Tensor, "batch directed"], threshold: float = 0.0, budget: int = 0
) -> tuple[Frontier, Int[Tensor, " batch"]]:
    r"""Move every score along the facts of its entity.

    $$e'_b[o] = \sum_{(s, r, o)} e_b[s]\, w_b[r] \quad \text{over the facts with } w_b[r] \ge \theta$$

    with both directions of every triple, and gradients to $e_b$ and $w_b$. Exact for $\theta = 0$ without a budget.

    Args:
        facts: The graph.
        frontier: $e$; all its rows.
        weight: $w$; relations of negative weight are never followed.
        threshold: $\theta$.
        budget: How many facts a row may touch, at most; 0 for any number. A row that would need more spends it on the
            entities of the highest score, so that a hub costs no more than this.

    Returns:
        The frontier $e'$, in the order in which entities are first reached, and how many facts each row touched.

    Reference:
        TransferNet (Shi et al., 2021, arXiv:2104.07302), equation 3, over a sparse frontier.
    """
    device = weight.device
    ptr, entity, score, touched = _Hop.apply(  # type: ignore[no-untyped-call]
        frontier.score.cpu(), weight.cpu(), facts, frontier.ptr, frontier.entity, threshold, budget
    )
    return Frontier(ptr, entity, score.to(device)), touched


def returning(
    facts: Facts,
    start: Frontier,
    weight: Float[Tensor, "batch directed"],
    middle: Frontier,
    factor: Float[Tensor, " between"],
) -> Float[Tensor, " reached"]:
    r"""Return how much of each score of `start` comes back after two hops by the very fact it left by.

    $$\beta_b(u) = e_b(u) \sum_{(u, r, v)} W_b[r]\, f_b(v)$$

    Subtracted from the scores two hops later, it leaves the walks that do not turn back. With $f = 1$, the difference
    is exact: the score of all walks of two hops without immediate return.

    Args:
        facts: The graph.
        start: $e$, the frontier before the two hops.
        weight: $W_b[r]$, the weight of relation $r$ in the first hop times that of its inverse in the second. Relations
            of weight 0 are not looked at.
        middle: The frontier after the first hop.
        factor: $f$, by what its scores were multiplied between the hops. No gradient flows to it.
    """
    amount: Tensor = _Return.apply(weight.cpu(), facts, start, middle, factor)  # type: ignore[no-untyped-call]
    return start.score * amount.to(start.score.device)


def find(facts: Facts, wanted: Frontier, among: Frontier) -> Int[Tensor, " reached"]:
    """Return, for each entry of `wanted`, where its entity stands in the same row of `among`; -1 if it does not."""
    place = np.empty(len(wanted.entity), np.int64)
    walking.find(wanted.ptr.numpy(), wanted.entity.numpy(), among.ptr.numpy(), among.entity.numpy(), facts.slot, place)
    return torch.from_numpy(place)


def unite(facts: Facts, frontiers: Sequence[Frontier]) -> tuple[Frontier, list[Int[Tensor, " reached"]]]:
    """Lay several frontiers over one another.

    Returns:
        The entities of all of them, each once per row, with the score 0; and for each frontier, where its entries
        stand there.
    """
    each = np.stack([f.ptr.numpy() for f in frontiers])
    entity = np.concatenate([f.entity.numpy() for f in frontiers])
    first = np.cumsum([0, *[len(f.entity) for f in frontiers]])
    ptr, found, place = walking.unite(each, entity, first, facts.slot)
    joined = Frontier(torch.from_numpy(ptr), torch.from_numpy(found), torch.zeros(len(found)))
    return joined, [torch.from_numpy(place[a:b]) for a, b in pairwise(first)]


class _Hop(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, score: Tensor, weight: Tensor, facts: Facts, ptr: Tensor, entity: Tensor, theta: float, budget: int
    ) -> tuple[Tensor, ...]:
        s, w = _float32(score), _float32(weight)
        quota, touched = walking.quotas(facts.columns, ptr.numpy(), entity.numpy(), s, w, theta, budget)
        out = walking.spread(facts.columns, ptr.numpy(), entity.numpy(), s, w, theta, quota, facts.slot)
        out_ptr, out_entity, out_score = map(torch.from_numpy, out)
        ctx.facts, ctx.theta, ctx.quota = facts, theta, quota
        ctx.save_for_backward(score, weight, ptr, entity, out_ptr, out_entity)
        steps = torch.from_numpy(touched)
        ctx.mark_non_differentiable(out_ptr, out_entity, steps)
        return out_ptr, out_entity, out_score, steps

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        score, weight, ptr, entity, out_ptr, out_entity = ctx.saved_tensors
        to_score, to_weight = walking.gather(
            ctx.facts.columns,
            (ptr.numpy(), entity.numpy(), _float32(score)),
            _float32(weight),
            ctx.theta,
            ctx.quota,
            (out_ptr.numpy(), out_entity.numpy(), _float32(grads[2])),
            ctx.facts.slot,
        )
        return torch.from_numpy(to_score), torch.from_numpy(to_weight), None, None, None, None, None


class _Return(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, facts: Facts, start: Frontier, middle: Frontier, factor: Tensor) -> Tensor:
        begin = start.ptr.numpy(), start.entity.numpy()
        between = middle.ptr.numpy(), middle.entity.numpy(), _float32(factor.cpu())
        ctx.rest = facts.columns, begin, _float32(weight), between
        ctx.slot = facts.slot
        back, _ = walking.returns(*ctx.rest, np.zeros(len(begin[1]), np.float32), facts.slot)
        return torch.from_numpy(back)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        _, to_weight = walking.returns(*ctx.rest, _float32(grads[0]), ctx.slot)
        return torch.from_numpy(to_weight), None, None, None, None


def _float32(tensor: Tensor) -> ndarray:
    return np.ascontiguousarray(tensor.detach().numpy(), np.float32)
