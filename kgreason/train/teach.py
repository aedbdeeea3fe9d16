"""Teaches a walk its path, where the path is known: of questions that the graph asked itself, or of gold paths."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from kgreason.tensors import GraphBatch, Scores, Trace

#: Probabilities below this are all the same: an error made once should not outweigh all else.
_LEAST = 1e-4

Hook = Callable[[Any, tuple[GraphBatch, ...], tuple[Scores, Trace]], tuple[Scores, Trace]]


def path_ids(
    uids: Sequence[str], paths: Mapping[str, Sequence[str]], relations: Sequence[str]
) -> Int[Tensor, "examples cycles"]:
    """Return the directed relations of each example's path, padded with -1; all -1 if it has none.

    Args:
        uids: The examples, in their order.
        paths: Of those whose path is known, the names of its relations; `^relation` goes from tail to head.
        relations: The graph's.
    """
    known = {name: i for i, name in enumerate([*relations, *(f"^{name}" for name in relations)])}
    rows = [[known[name] for name in paths.get(uid, ())] for uid in uids]
    longest = max([1, *map(len, rows)])
    return torch.tensor([row + [-1] * (longest - len(row)) for row in rows]).view(-1, longest)


def teach(paths: Int[Tensor, "examples cycles"], strength: float) -> Hook:
    r"""Return a forward hook for a reasoner that adds, in training, the loss of not going the known path.

    $$\ell = -\frac{\lambda}{B} \sum_b \Big(\log w_{b, n_b} + \sum_{i \le n_b} \log W_{b i}[r_{b i}]\Big)$$

    with $W_i$ the weights of the relations in cycle $i$ (`Walk.relation`), $r$ the known path of length $n$ and $w_n$
    how much its last cycle counts. Rows whose path is not known, or longer than the walk, teach nothing.

    Args:
        paths: Of each example of the training data, in its order (`GraphBatch.example`); see `path_ids`.
        strength: $\lambda$.
    """

    def hook(module: Any, inputs: tuple[GraphBatch, ...], output: tuple[Scores, Trace]) -> tuple[Scores, Trace]:
        scores, trace = output
        if not module.training or trace.walk is None:
            return output
        batch = inputs[0]
        path = paths.to(batch.group.device)[batch.example[batch.group]]
        cycles = len(trace.weight)
        length = (path >= 0).sum(1)
        taught = (length > 0) & (length <= cycles)
        row, step = (path[:, :cycles] >= 0).logical_and(taught[:, None]).nonzero(as_tuple=True)
        followed = trace.walk.relation[step, row, path[row, step]].clamp_min(_LEAST).log().sum()
        stop = trace.weight[length[taught] - 1, taught.nonzero()[:, 0]].clamp_min(_LEAST).log().sum()
        loss = -strength * (followed + stop) / max(1, len(path))
        return scores, replace(trace, loss=loss if trace.loss is None else trace.loss + loss)

    return hook
