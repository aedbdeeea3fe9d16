"""The decoder that needs no training: one edit per cycle, projected by its place, joined by the seven relations."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from kgreason.data.entailment import COMPOSE, CONJOIN, JOIN, POLARITY, SIGNATURES, Polarity, signature
from kgreason.decode.judge import JUDGES, Judge
from kgreason.errors import ConfigError
from kgreason.segments import segment_sum
from kgreason.tensors import GraphBatch, Proof, States, Trace

GIVEN: Mapping[str, Any] = MappingProxyType({"name": "given"})
_OPERATOR = 3  # EditKind.OPERATOR; the symbol side is out of reach here
_EQUIVALENCE, _NEGATION, _ALTERNATION, _COVER, _INDEPENDENCE = 0, 3, 4, 5, 6
#: How strong a conclusion each relation is: it decides, it says something, it says nothing.
_STRENGTH = (1.0, 1.0, 0.5, 1.0, 1.0, 0.5, 0.0)
#: How one edit joins the others: beside them, after them, or before them.
_BESIDE, _AFTER, _BEFORE = 0, 1, 2
#: An operator that is as sure as this to be ^, | or ⌣ turns round what stands in its scope.
_TURNS = 0.5
#: How steeply the order of the stronger conclusion is preferred.
_STEEP = 20.0
#: The order from the inside out is told, unless it has less than this of the weight.
_AS_GOOD = 0.45
_ORDERS = ("nested", "chain")
_NOT, _SOME = signature("not"), signature("some")
#: How much of an exclusion survives where a plain negation comes or goes: whether someone who sings is thereby said
#: not to dance is a matter of taste.
_SURVIVES = 0.5


@final
class NaturalLogicDecoder(nn.Module):
    r"""Makes the edits that lead from the premise to the hypothesis, one per cycle, and keeps count of what they prove.

    The state is a distribution $s$ over the seven relations of natural logic, between the premise and what the edits
    so far have made of it. It begins as $\equiv$. Edit $i$ has a lexical relation $r_i$, a distribution too, and a
    place of signature $\pi$; cycle $i$ projects and joins:

    $$p_i[b] = \sum_{a\,:\,\mathrm{SIGNATURES}[\pi, a] = b} r_i[a], \qquad
      s_i[c] = \sum_{a, b} s_{i-1}[a]\; p_i[b]\; \mathbb 1\big[T_i[a, b] = c\big]$$

    **Order.** A place is projected as the premise has it as long as no operator above it has been exchanged, and as
    the hypothesis has it after that. So there are two sound orders: from the inside out, with the polarities of the
    premise, and from the outside in, with those of the hypothesis. Both are computed, at once: for the second, an
    operator is joined from the left, $T[a, b] = \mathrm{JOIN}[b, a]$. Of the two conclusions the stronger one counts:

    $$s = w\, s^{\mathrm{in}} + (1 - w)\, s^{\mathrm{out}}, \qquad
      w = \sigma\big(\kappa\,(d^{\mathrm{in}} - d^{\mathrm{out}})\big), \quad
      d = s_n[\equiv] + s_n[\sqsubset] + s_n[\wedge] + s_n[|] + \tfrac12 (s_n[\sqsupset] + s_n[\smile])$$

    (On the way the trace tells the states of the stronger order alone.) Where no operator is exchanged the two
    polarities of a place should be one; where they are not, one of the two sentences is misread, and both count by
    half.

    With `order = "chain"`, $T = \mathrm{JOIN}$ for every edit, as MacCartney has it. Then two exclusions come to
    independence ("a man sings", "a woman dances"), since nothing is known of the sentence between. With
    `order = "nested"`:

    - First come the edits whose place an exchanged operator projects anew (their two polarities differ). They stand
      beside each other, $T = \mathrm{CONJOIN}$: one that excludes is enough to exclude, all must entail to entail.
    - Then operators that turn what is in their scope ($\wedge$, $|$, $\smile$) and stand in the scope of others,
      $T = \mathrm{JOIN}$; then the operator that is around all these, $T = \mathrm{JOIN}$: of those that are not
      projected anew, if there are any, the one that turns the most.
    - Then all others, which no operator has touched, $T = \mathrm{CONJOIN}$.
    - At a place that is projected anew nobody in particular is spoken of any more: "a man sings" and "no woman sings"
      may both be true. There an upward signature is that of the place within `some`. Only a plain negation leaves the
      individual alone. Whether someone who sings is thereby said not to dance is a matter of taste: half of $|$ becomes
      $\#$.

    A row halts when its edits are used up; its last cycle is its answer. A row without edits runs one cycle, remains
    at $\equiv$, and counts as not proved, and so does a row with more edits than `cycles`, which ends at $\#$.
    $y_i$ is $s_i$, in the first seven of its `dim` columns. With `judge = "given"` there are no parameters.

    Args:
        dim: Width of $y_i$.
        judge: Who says what $r_i$ is, from the table `JUDGES`: `{name = "given"}` takes what the grounder says,
            `{name = "learned"}` starts from that and learns.
        order: `nested` or `chain`.
        cycles: The most edits a row may have.

    Raises:
        ConfigError: If `order` is not known, or `cycles` is less than 1.

    Reference:
        MacCartney and Manning (2009, IWCS-8), sections 4 and 5, for the chain of joins and its dependence on the order
        of edits. The probabilistic state: Angeli and Manning (2014, EMNLP), who search over proofs.
    """

    project: Tensor
    of_some: Tensor
    negates: Tensor
    tables: Tensor
    code: Tensor

    def __init__(
        self, dim: int, judge: Judge | Mapping[str, Any] = GIVEN, order: str = "nested", cycles: int = 64
    ) -> None:
        super().__init__()
        if order not in _ORDERS:
            raise ConfigError(f"[decode] natural_logic: order = '{order}' is not known. Known: {', '.join(_ORDERS)}.")
        if cycles < 1:
            raise ConfigError(f"[decode] natural_logic: cycles = {cycles}, expected at least 1.")
        self.order, self.cycles = order, cycles
        self.judge = JUDGES.build(judge, dim=dim) if isinstance(judge, Mapping) else judge
        self.register_buffer("project", _projections(), persistent=False)  # (2 signatures, 7, 7)
        self.register_buffer("of_some", _of_some(), persistent=False)
        self.register_buffer("negates", _negates(), persistent=False)
        joins = _one_hot(np.stack([CONJOIN, JOIN, JOIN.T]))  # (how, 7, 7, 7)
        self.register_buffer("tables", joins.flatten(1, 2).transpose(0, 1).flatten(1), persistent=False)
        self.register_buffer("code", torch.eye(7, dim), persistent=False)

    def forward(self, states: States) -> Trace:
        batch = states.batch
        plan = _plan(batch, self.cycles, self.order)
        relation = self.judge(states)
        projected = self._project(relation, batch, plan)
        state = self._walk(projected, plan, len(states.query))
        weight = _weights(state[-1], plan)  # (orders, batch)
        first = weight[0] >= _AS_GOOD
        told = torch.where(plan.searched, torch.stack([first, ~first]), weight)
        arange = torch.arange(self.cycles, device=state.device)[:, None]
        last = plan.length.clamp(1, self.cycles) - 1
        # on the way one of the two orders is told, so that it can be followed; the conclusion is that of both
        shares = torch.where(arange[:, None] < last, told, weight)  # (cycles, orders, batch)
        state = torch.einsum("cob,cobr->cbr", shares, state)
        projected = torch.einsum("oe,oer->er", told[:, batch.edit_graph], projected)
        proof = Proof(state, plan.edit, relation, projected, plan.proved)
        return Trace(
            state @ self.code,
            _looks(batch, plan, last),
            arange <= last[None, :],
            (arange == last[None, :]).to(state.dtype),
            proof=proof,
        )

    def _project(
        self, relation: Float[Tensor, "edits 7"], batch: GraphBatch, plan: "_Plan"
    ) -> Float[Tensor, "orders edits 7"]:
        """Return what each edit's relation becomes between sentences, in the premise's and in the hypothesis'."""
        place = batch.edit_polarity
        if self.order == "nested":
            plain = self.negates[place[0], place[1]]
            place = torch.where(plan.anew, torch.where(plain, place + len(SIGNATURES), self.of_some[place]), place)
        return torch.einsum("er,oers->oes", relation, self.project[place])

    def _walk(
        self, projected: Float[Tensor, "orders edits 7"], plan: "_Plan", rows: int
    ) -> Float[Tensor, "cycles orders batch 7"]:
        s = projected.new_zeros(2, rows, 7)
        s[..., _EQUIVALENCE] = 1
        walk = []
        for edit in plan.edit[: int(plan.length.clamp_max(self.cycles).max()) if rows else 0]:
            runs, at = edit >= 0, edit.clamp_min(0)
            pairs = (s[..., :, None] * projected[:, at][..., None, :]).flatten(-2)  # (orders, batch, 49)
            joined = (pairs @ self.tables).view(*s.shape[:-1], 3, 7)
            how = plan.how[:, at][..., None, None].expand(-1, -1, 1, 7)
            s = torch.where(runs[None, :, None], joined.gather(2, how)[:, :, 0], s)
            walk.append(s)
        unknown = torch.zeros_like(s)
        unknown[..., _INDEPENDENCE] = 1
        s = torch.where((plan.length > self.cycles)[None, :, None], unknown, s)
        return torch.stack((walk[:-1] if len(walk) == self.cycles else walk) + [s] * max(1, self.cycles - len(walk)))


class _Plan(NamedTuple):
    """Which edit is made when, and how it joins the others.

    Args:
        edit: The edit of each cycle and row; -1 for none.
        how: How each edit is joined, in either order: `_BESIDE`, `_AFTER` or `_BEFORE` the others.
        anew: Whether an exchanged operator projects its place anew.
        length: How many edits each row has.
        searched: Whether the order matters: an operator is exchanged.
        proved: Whether there are edits, and not too many.
    """

    edit: Int[Tensor, "cycles batch"]
    how: Int[Tensor, "orders edits"]
    anew: Bool[Tensor, " edits"]
    length: Int[Tensor, " batch"]
    searched: Bool[Tensor, " batch"]
    proved: Bool[Tensor, " batch"]


def _plan(batch: GraphBatch, cycles: int, order: str) -> _Plan:
    row, rows = batch.edit_graph, batch.num_graphs
    operator = batch.edit_kind == _OPERATOR
    searched = torch.zeros(rows, dtype=torch.bool, device=row.device).index_put((row[operator],), operator[operator])
    moved = (batch.edit_polarity[0] != batch.edit_polarity[1]) & searched[row]
    turns = batch.edit_relation[:, [_NEGATION, _ALTERNATION, _COVER]].sum(-1)
    root = _root(row, rows, operator, turns + 2 * ~moved)
    moved = moved & ~root
    inner = operator & moved & (turns >= _TURNS)
    joins = root | inner
    # what stands in a new scope, operators in the scope of others, the operator around them, all else
    phase = torch.where(root, 2, torch.where(inner, 1, torch.where(moved, 0, 3)))
    if order == "chain":
        phase, searched, joins = operator.long(), torch.ones_like(searched), torch.ones_like(joins)
    made = (row * 4 + phase).argsort(stable=True)
    count = torch.bincount(row, minlength=rows)
    start = count.cumsum(0) - count
    turn = torch.empty_like(row)
    turn[made] = torch.arange(len(row), device=row.device) - start[row[made]]
    kept = turn < cycles
    edit = torch.full((cycles, rows), -1, device=row.device)
    edit[turn[kept], row[kept]] = torch.arange(len(row), device=row.device)[kept]
    sides = torch.tensor([[_AFTER], [_BEFORE]], device=row.device)
    return _Plan(
        edit=edit,
        how=torch.where(joins, sides, _BESIDE),
        anew=moved,
        length=count,
        searched=searched,
        proved=(count > 0) & (count <= cycles),
    )


def _root(
    row: Int[Tensor, " edits"], rows: int, operator: Bool[Tensor, " edits"], rank: Float[Tensor, " edits"]
) -> Bool[Tensor, " edits"]:
    """Return the operator of the highest rank of each row; of several the last."""
    of, best = row[operator], rank[operator]
    highest = rank.new_zeros(rows).scatter_reduce(0, of, best, "amax")
    number = torch.arange(len(row), device=row.device)
    high = operator & (rank >= highest[row] - 1e-6)
    last = torch.full((rows,), -1, device=row.device).scatter_reduce(0, row[high], number[high], "amax")
    found: Tensor = number == last[row]
    return found


def _weights(state: Float[Tensor, "orders batch 7"], plan: _Plan) -> Float[Tensor, "orders batch"]:
    decided = state @ state.new_tensor(_STRENGTH)
    return (_STEEP * decided * plan.searched).softmax(0)


def _looks(batch: GraphBatch, plan: _Plan, last: Int[Tensor, " batch"]) -> Float[Tensor, "cycles nodes"]:
    """Return the attention of each cycle: on the nodes that its edit exchanges; if there are none, on all alike."""
    cycles, row = len(plan.edit), batch.node_graph
    turn, of = (plan.edit >= 0).nonzero(as_tuple=True)
    node = batch.edit_nodes[:, plan.edit[turn, of]]  # (2, made)
    there = node >= 0
    share = there / there.sum(0).clamp_min(1)
    looks = torch.zeros(cycles, len(row), device=row.device)
    turns = turn.expand_as(node)
    looks = looks.index_put((turns[there], node[there]), share[there], accumulate=True)
    total = segment_sum(looks.T, row, len(last)).T  # (cycles, batch)
    size = torch.bincount(row, minlength=len(last)).clamp_min(1)
    looks = torch.where(total[:, row] > 0, looks, (1 / size)[row])
    at = torch.minimum(torch.arange(cycles, device=row.device)[:, None], last[None, :])
    return looks.gather(0, at[:, row])


def _projections() -> Tensor:
    """Return what each relation becomes at a place of each signature; then that again, with an exclusion lost."""
    plain = _one_hot(SIGNATURES)
    spoilt = plain.clone()
    spoilt[:, _ALTERNATION] *= _SURVIVES
    spoilt[:, _ALTERNATION, _INDEPENDENCE] += 1 - _SURVIVES
    return torch.cat([plain, spoilt])


def _of_some() -> Tensor:
    """Return the signature of a place of each signature in a sentence about someone or other; downward ones stay."""
    up = POLARITY == Polarity.UPWARD
    return torch.from_numpy(np.where(up, COMPOSE[_SOME], np.arange(len(SIGNATURES))))


def _negates() -> Tensor:
    """Return whether a plain negation leads from a place of the one signature to one of the other."""
    signatures = np.arange(len(SIGNATURES))
    to = np.zeros((len(SIGNATURES),) * 2, bool)
    to[signatures, COMPOSE[:, _NOT]] = to[signatures, COMPOSE[_NOT]] = True
    return torch.from_numpy(to | to.T)


def _one_hot(table: np.ndarray) -> Tensor:
    return torch.from_numpy(np.eye(7, dtype=np.float32)[table])
