"""The loss of a batch; with R-Drop, of two looks at it that dropout makes different."""

import torch
from jaxtyping import Float
from torch import Tensor

from kgreason.errors import ConfigError
from kgreason.reasoner import Reasoner
from kgreason.segments import segment_sum
from kgreason.tensors import GraphBatch, Scores
from kgreason.train.loss import Weights, group_weights, log_softmax, loss_of
from kgreason.train.optimise import autocast
from kgreason.train.settings import TrainSettings


def batch_loss(
    reasoner: Reasoner, batch: GraphBatch, settings: TrainSettings, class_weights: Weights = None
) -> Float[Tensor, ""]:
    r"""Return what a step makes small, summed over the groups of a batch.

    $$L = L_1 \quad\text{or, with } \alpha = \texttt{consistency} > 0,\quad
      L = \tfrac12 (L_1 + L_2) + \tfrac{\alpha}{2} \sum_g \omega_g
          \big[\mathrm{KL}(p_g \Vert q_g) + \mathrm{KL}(q_g \Vert p_g)\big]$$

    with $L_1, L_2$ the losses (`loss_of`) and $p, q$ the answers of two passes over the same batch, between which only
    dropout differs (R-Drop, Liang et al. 2021, arXiv:2106.14448, equation 4, divided by two: its α is twice this one).
    A step takes twice as long.

    Raises:
        ConfigError: If the two passes list other candidates, as a walk with dropout does.
        DataError: As `loss_of`.
    """
    device, smoothing = batch.input_ids.device, float(settings.label_smoothing)

    def look() -> tuple[Scores, Tensor]:
        with autocast(settings.precision, device):
            scores, trace = reasoner(batch)
        return scores, loss_of(scores, trace, batch, class_weights, smoothing)

    one, loss = look()
    if not settings.consistency:
        return loss
    other, again = look()
    return (loss + again) / 2 + settings.consistency * disagreement(one, other, batch, class_weights)


def disagreement(one: Scores, other: Scores, batch: GraphBatch, class_weights: Weights = None) -> Float[Tensor, ""]:
    r"""Return half the symmetric divergence of two passes over a batch, summed over its groups.

    $$\tfrac12 \sum_g \omega_g \sum_c (p_{gc} - q_{gc}) \log\frac{p_{gc}}{q_{gc}}$$

    Raises:
        ConfigError: If they list other candidates.
    """
    if not torch.equal(one.candidate, other.candidate) or not torch.equal(one.group, other.group):
        raise ConfigError(
            "[train] consistency compares two passes over the same candidates, and these list other ones: what a walk "
            "touches depends on dropout. Set consistency = 0."
        )
    values = torch.stack([one.value, other.value]).float()
    log_p, log_q = log_softmax(values, one.group, batch.num_groups)
    apart = segment_sum((log_p.exp() - log_q.exp()) * (log_p - log_q), one.group, batch.num_groups)
    return 0.5 * (group_weights(batch, class_weights) * apart).sum()
