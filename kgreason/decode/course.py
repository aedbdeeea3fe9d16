"""The accounts of a decoder that walks a knowledge graph: what each cycle did, who still runs, what is left to give."""

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kgreason.decode.control import Control, Wanted, hold, on_nodes
from kgreason.decode.halt import Halt, PonderHalt
from kgreason.tensors import Frontier, States, Trace, Walk


class _Cycle(NamedTuple):
    """What one cycle leaves in the trace."""

    output: Tensor
    attention: Tensor
    running: Tensor
    weight: Tensor
    relation: Tensor
    open: Tensor
    touched: Tensor


@final
class Course:
    """The cycles of one forward pass, and which rows still run.

    Args:
        states: What the encoder knows.
        control: Reads the question once per cycle.
        halt: Says how much a cycle counts and who stops; it reads $y_i = c_i + x_i$, or what is said to `tell`.
        cycles: How many there are, at most.
    """

    def __init__(self, states: States, control: Control, halt: Halt, cycles: int) -> None:
        self._states, self._control, self._halt, self._cycles = states, control, halt, cycles
        self._told: list[_Cycle] = []
        self._left = states.query.new_ones(len(states.query))
        self._wanted: Wanted | None = None
        self.runs: Bool[Tensor, " batch"] = torch.ones_like(self._left, dtype=torch.bool)

    def peek(self, wanted: Wanted) -> Wanted:
        """Return what the next cycle would look for, given what this one does."""
        return self._control(len(self._told) + 1, self._states, wanted)

    def look(self) -> Wanted:
        """Return what this cycle looks for; rows that have halted still look for what they did last."""
        new = self._control(len(self._told), self._states, self._wanted)
        self._wanted = hold(new, self._wanted, self.runs)
        return self._wanted

    def tell(
        self,
        wanted: Wanted,
        relation: Float[Tensor, "batch directed"],
        open_: Float[Tensor, " batch"],
        touched: Int[Tensor, " batch"],
        ahead: tuple[Wanted, Float[Tensor, " batch"]] | None = None,
    ) -> None:
        """Write down what this cycle did, and let rows stop.

        Args:
            wanted: What it looked for.
            relation: See `Walk`, as for the next two.
            open_: Likewise.
            touched: Likewise.
            ahead: What the next cycle would look for, and how much speaks for it (`Halt.step`); None if halting reads
                this cycle alone.
        """
        y, a = wanted.control + wanted.read, on_nodes(wanted.attention, self._states.batch)
        last = len(self._told) + 1 == self._cycles
        if ahead is not None and isinstance(self._halt, PonderHalt):
            then, more = ahead
            weight, stops = self._halt.step(then.control + then.read, self._left, last, more)
        else:
            weight, stops = self._halt.step(y, self._left, last)
        weight = weight * self.runs
        self._told.append(_Cycle(y, a, self.runs, weight, relation, open_, touched))
        self._left, self.runs = self._left - weight, self.runs & ~stops

    def trace(self, frontiers: Sequence[Frontier]) -> Trace:
        """Return the trace of all cycles; `frontiers` is where each row stood before the first and after each."""
        cycles = _Cycle(*(torch.stack(column) for column in zip(*self._told, strict=True)))
        loss = self._halt.loss(cycles.weight, cycles.running)
        walk = Walk(tuple(frontiers), cycles.relation, cycles.open, cycles.touched)
        return Trace(cycles.output, cycles.attention, cycles.running, cycles.weight, loss=loss, walk=walk)
