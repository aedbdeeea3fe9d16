"""The decoder that follows instructions: a distribution over the entities in sight, moved once per cycle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, final

import torch
from torch import Tensor, nn

from kgreason.decode.backward import BackwardTeacher
from kgreason.decode.control import CONTROLS, Control
from kgreason.decode.course import Course
from kgreason.decode.halt import HALTS, Halt, refuse_ahead
from kgreason.decode.relations import RELATION_VECTORS, RelationVectors
from kgreason.decode.sight import InSight, Propagate
from kgreason.decode.transfer import PONDER, start
from kgreason.errors import ConfigError
from kgreason.frontier import Facts
from kgreason.registry import Registry
from kgreason.tensors import States, Trace

CHAINED: Mapping[str, Any] = MappingProxyType({"name": "chained"})
IDS: Mapping[str, Any] = MappingProxyType({"name": "ids"})


@final
@dataclass(frozen=True, slots=True)
class Reach:
    """How far a cycle looks, and who helps: what stands in the table `walk` of `[decode] name = "instruct"`.

    Args:
        budget: How many facts a row may touch in a cycle, those of the likeliest entities first; 0 for any number.
        keep: From how many entities of a row a cycle may go on, the likeliest; 0 for all.
        teacher: How much the backward teacher counts in the loss; 0 for none. See `BackwardTeacher`.

    Raises:
        ConfigError: If a number is negative.
    """

    budget: int = 2000
    keep: int = 200
    teacher: float = 0.0

    def __post_init__(self) -> None:
        if min(self.budget, self.keep, self.teacher) < 0:
            raise ConfigError(
                f"[decode.walk] budget = {self.budget}, keep = {self.keep}, teacher = {self.teacher}; expected numbers "
                "of at least 0 (0: no limit; teacher = 0: none)."
            )


REACH = Reach()
REACHES: Registry[Reach] = Registry("decode.walk", reach=Reach)


@final
class InstructDecoder(nn.Module):
    r"""Moves a distribution over entities from the seeds, each cycle as an instruction read in the question says.

    $$\begin{aligned}
      x_k &= \mathrm{control}_k(q, H) && \text{the instruction} \\
      \tilde e_v &= \textstyle\sum_{(u, r, v)} p^{k-1}_u\, m_r, \qquad
        m_r = \mathrm{ReLU}(x_k \odot W_R\, r) && \text{what arrives} \\
      e^k_v &= \mathrm{ReLU}(W_1\, e^{k-1}_v + W_2\, \tilde e_v + b), \qquad
        p^k_v = \mathrm{softmax}_v(w^\top e^k_v) && \text{over the entities in sight}
    \end{aligned}$$

    $p^0$ are the scores of the seeds, to sum 1. In sight is what a fact joins to where the last cycle stood; both
    directions of every triple count as facts. An entity that comes in sight begins with what is around it,
    $e^0_v = \mathrm{ReLU}(\sum_r c_{v,r} W_T\, r)$, $c_{v,r}$ the share of relation $r$ in its facts; one that was in
    sight keeps its state. Since $m_r$ is the same for all facts of a relation, $\tilde e = S M$ with the sparse
    $S_{v,r} = \sum_{(u,r,v)} p_u$ (`kgreason.arrivals`): exact, and the width of the states is paid per relation.

    In the trace, a relation's weight in a cycle is its share in what arrived where $p^k$ now stands.

    Args:
        dim: Width of the states.
        facts: The knowledge graph.
        relation_vectors: Gives a vector for the text of each relation; asked only by `relations` that read texts.
        cycles: How many instructions there are, at most.
        control: How the question is read, from the table `CONTROLS`.
        relations: What relations are, $r$, from the table `RELATION_VECTORS`.
        halt: How much each cycle counts in the answer, from the table `HALTS`.
        walk: How far a cycle looks; see `Reach`.

    Raises:
        ConfigError: If a number is out of range or a choice is not known.

    Reference:
        NSM (He et al., 2021, arXiv:2101.03737, equations 1 to 8). There $p$ covers a subgraph that was cut out
        beforehand, with entities that nothing reaches; $e^0$ sums over facts, so that hubs are loud; and the number of
        cycles is fixed. Inverse relations, texts of relations and halting are ours.
    """

    def __init__(
        self,
        dim: int,
        facts: Facts,
        relation_vectors: Callable[[], Tensor],
        cycles: int = 3,
        control: Control | Mapping[str, Any] = CHAINED,
        relations: RelationVectors | Mapping[str, Any] = IDS,
        halt: Halt | Mapping[str, Any] = PONDER,
        walk: Reach | Mapping[str, Any] = REACH,
    ) -> None:
        super().__init__()
        if cycles < 1:
            raise ConfigError(f"[decode] instruct: cycles = {cycles}, expected at least 1.")
        self.facts, self.cycles = facts, cycles
        self.walk = walk if isinstance(walk, Reach) else REACHES.build({"name": "reach"} | dict(walk))
        context = {"dim": dim, "num_relations": facts.num_relations, "relation_vectors": relation_vectors}
        self.relations = RELATION_VECTORS.build(relations, **context) if isinstance(relations, Mapping) else relations
        self.control = CONTROLS.build(control, dim=dim, cycles=cycles) if isinstance(control, Mapping) else control
        self.halt = HALTS.build(halt, dim=dim) if isinstance(halt, Mapping) else halt
        refuse_ahead(self.halt, "instruct")
        self.propagate = Propagate(dim, facts, self.walk.budget, self.walk.keep)
        teacher = BackwardTeacher(dim, facts, self.walk.budget, self.walk.keep) if self.walk.teacher else None
        self.teacher = teacher

    def forward(self, states: States) -> Trace:
        course, relation, reads = Course(states, self.control, self.halt, self.cycles), self.relations(), list[Tensor]()
        sight = [InSight.at(start(states.batch), states.query)]
        for _ in range(self.cycles):
            wanted = course.look()
            here, moved = self.propagate(sight[-1].only(course.runs), wanted.read, relation)
            course.tell(wanted, moved.relation, moved.open, moved.touched)
            sight.append(here)
            reads.append(wanted.read)
        trace = course.trace([s.frontier for s in sight])
        if self.teacher is None or not self.training or states.batch.target is None:
            return trace
        taught = self.walk.teacher * self.teacher(states.batch, sight, trace.weight, torch.stack(reads), relation)
        return replace(trace, loss=taught if trace.loss is None else trace.loss + taught)
