"""What training makes small: cross-entropy within each group, over the cycles, and what the decoder adds."""

from collections import Counter

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kgreason.data import UNKNOWN
from kgreason.errors import DataError
from kgreason.segments import segment_sum
from kgreason.tensors import GraphBatch, Scores, Trace
from kgreason.train.predict import Loader
from kgreason.train.processes import Processes
from kgreason.train.settings import TrainSettings

Weights = Float[Tensor, " candidates"] | None


def group_weights(batch: GraphBatch, class_weights: Weights = None) -> Float[Tensor, " groups"]:
    """Return how much each group counts: the mean class weight of its right answers; 0 for a group without one.

    Raises:
        DataError: If the batch has no target, or a class has no weight.
    """
    group, candidate, share = _answers(batch)
    if class_weights is None:
        weight = torch.ones_like(share)
    elif len(candidate) and int(candidate.min()) < 0:
        raise DataError("class_weights weigh labels, and the answers here are entities; set class_weights = 'none'.")
    elif len(candidate) and int(candidate.max()) >= len(class_weights):
        raise DataError(
            f"A target names candidate {int(candidate.max())}, but class_weights has {len(class_weights)} numbers. "
            "Give one number per candidate."
        )
    else:
        weight = class_weights.to(share)[candidate]
    return segment_sum(share * weight, group, batch.num_groups)


def class_weights_of(settings: TrainSettings, loader: Loader, processes: Processes) -> Weights:
    """Return the weight of each candidate, or None where all count the same.

    Balanced weights, $n / (k n_c)$ for $n$ right answers among $k$ candidates, take one pass over the data.
    """
    if settings.class_weights == "none":
        return None
    if settings.class_weights != "balanced":
        return torch.tensor([float(weight) for weight in settings.class_weights])
    loader.set_epoch(0)
    here: Counter[int] = Counter()
    for batch in loader:
        here.update(_answers(batch)[1].tolist())
    counts = sum(processes.gather(here), Counter[int]())
    total, size = sum(counts.values()), max(counts, default=0) + 1
    return torch.tensor([total / (size * counts[c]) if counts[c] else 0.0 for c in range(size)])


def loss_of(
    scores: Scores, trace: Trace, batch: GraphBatch, class_weights: Weights = None, label_smoothing: float = 0.0
) -> Float[Tensor, ""]:
    r"""Return the loss, summed over the groups of a batch; divide by the sum of `group_weights`.

    $$L = \sum_g \omega_g \Big( \sum_i w_{ig}\, \big[ (1 - \epsilon)\,\mathrm{CE}(t_g, p_{ig})
          + \epsilon\,\mathrm{CE}(u_g, p_{ig}) \big] + \ell \Big)$$

    with $p_{ig}$ the softmax of cycle $i$'s scores (`Scores.cycle`) in group $g$, $w_{ig}$ the weight of that cycle
    (`Trace.weight`, mean over the rows of the group), $t_g$ uniform over the right answers, $u_g$ uniform over all
    candidates, $\omega_g$ as `group_weights` says, $\ell$ what the decoder adds (`Trace.loss`).

    This is PonderNet's expected loss (arXiv:2107.05407, equation 5). Where all weight lies on one cycle it is plain
    cross-entropy; else it is an upper bound of the cross-entropy of the mixture, by Jensen's inequality. A head that
    tells nothing per cycle is scored by its `value`.

    Where only some of all candidates are listed (`Scores.partial`), a right answer that is not is left out, like one
    that the knowledge graph does not have (candidate -2): no weight could reach it, and a constant in its place would
    reward small scores everywhere. A group with no other answer counts nothing.

    Raises:
        DataError: If the batch has no target, or a right answer is not among the candidates, though all are listed.
    """
    groups = batch.num_groups
    group, candidate, share = _answers(batch)
    place = _places(scores, group, candidate)
    values = scores.value[None] if scores.cycle is None else scores.cycle
    log_p = log_softmax(values, scores.group, groups)
    if scores.partial:
        group, place = group[place >= 0], place[place >= 0]
        share = 1.0 / torch.bincount(group, minlength=groups)[group].float()
    right = _sum_groups(share * log_p[:, place], group, groups)
    if label_smoothing:
        size = torch.bincount(scores.group, minlength=groups).clamp_min(1)
        even = _sum_groups(log_p, scores.group, groups) / size
        right = (1 - label_smoothing) * right + label_smoothing * even
    expected = right[0] if scores.cycle is None else (_cycle_weights(trace, batch) * right).sum(0)
    weight = group_weights(batch, class_weights)
    loss = -(weight * expected).sum()
    return loss if trace.loss is None else loss + weight.sum() * trace.loss


def _answers(batch: GraphBatch) -> tuple[Int[Tensor, " answers"], Int[Tensor, " answers"], Float[Tensor, " answers"]]:
    """Return the group, the candidate and the share of the target of every right answer that is a candidate."""
    if batch.target is None:
        raise DataError("This batch has no target, so there is no loss. Train and evaluate on examples with answers.")
    group, candidate = batch.target[:, batch.target[1] > UNKNOWN]
    count = torch.bincount(group, minlength=batch.num_groups)
    return group, candidate, 1.0 / count[group].float()


def _places(scores: Scores, group: Tensor, candidate: Tensor) -> Int[Tensor, " answers"]:
    """Return where in `scores` each right answer stands; -1 if it does not, and need not."""
    if not len(candidate):
        return candidate
    width = int(max(candidate.max(), scores.candidate.max() if len(scores.candidate) else 0)) + 2
    keys, order = (scores.group * width + scores.candidate + 1).sort()  # candidates are counted from -1, none of these
    wanted = group * width + candidate + 1
    found = torch.searchsorted(keys, wanted).clamp_max(max(len(keys) - 1, 0))
    missing = (keys[found] != wanted) if len(keys) else torch.ones_like(wanted, dtype=torch.bool)
    if not scores.partial and missing.any():
        first = int(missing.nonzero()[0, 0])
        raise DataError(
            f"Group {int(group[first])} of a batch: the right answer is candidate {int(candidate[first])}, which was "
            "not scored. Check that the answer head has as many labels as the task; a target that cannot be reached "
            "is to be left out when the batch is made."
        )
    return torch.where(missing, -1, order[found] if len(keys) else -1)


def _cycle_weights(trace: Trace, batch: GraphBatch) -> Float[Tensor, "cycles groups"]:
    rows = torch.bincount(batch.group, minlength=batch.num_groups).clamp_min(1)
    return _sum_groups(trace.weight, batch.group, batch.num_groups) / rows


def _sum_groups(
    values: Float[Tensor, "cycles items"], group: Int[Tensor, " items"], groups: int
) -> Float[Tensor, "cycles groups"]:
    return values.new_zeros(len(values), groups).index_add(1, group, values)


def log_softmax(
    scores: Float[Tensor, "cycles items"], group: Int[Tensor, " items"], groups: int
) -> Float[Tensor, "cycles items"]:
    """Logarithm of the softmax within each group, for each cycle, stable for large and small probabilities."""
    top = scores.new_full((len(scores), groups), -torch.inf)
    top = top.scatter_reduce(1, group.expand_as(scores), scores.detach(), "amax")
    below = scores - top[:, group]
    return below - _sum_groups(below.exp(), group, groups)[:, group].log()
