"""The head that joins one verdict per cycle into entailment, neutral or contradiction."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kgreason.errors import ConfigError
from kgreason.tensors import Scores, States, Trace

_TINY = 1e-6


@final
class EntailmentHead(nn.Module):
    r"""Judges every cycle by itself and joins the verdicts by logic; the answer after cycle $i$ is a label too.

    $$\begin{aligned}
      (e_i, n_i, c_i) &= \mathrm{softmax}(W y_i + b)          && \text{the verdict on cycle } i \\
      k_i &= k_{i-1}\,(1 - c_i), \quad k_0 = 1                && \text{nothing contradicted so far} \\
      s_i &= s_{i-1}\, e_i, \quad s_0 = 1                     && \text{everything entailed so far} \\
      P_i(\mathrm{entailment}) &= s_i, \quad P_i(\mathrm{neutral}) = k_i - s_i, \quad
      P_i(\mathrm{contradiction}) = 1 - k_i
    \end{aligned}$$

    A hypothesis is contradicted as soon as one of its parts is, and entailed only if all are. So one word that the
    graph knows to exclude its counterpart decides, however much the rest of the sentence agrees: the verdict cannot be
    outvoted. $P_i$ is a distribution, for $1 - c_i \ge e_i$ makes $k_i \ge s_i$.

    Args:
        dim: Width of the states.
        num_labels: Must be 3; the candidates are entailment, neutral, contradiction in this order.
        dropout: Share of $y_i$ that is dropped in training.

    Raises:
        ConfigError: If there are not three labels.

    Reference:
        The rules of Stacey, Minervini, Dubossarsky and Rei (2022, arXiv:2205.11432, section 3), who take the maximum
        over spans where this takes the product, so that every cycle gets a gradient.
    """

    def __init__(self, dim: int, num_labels: int, dropout: float = 0.1) -> None:
        super().__init__()
        if num_labels != 3:
            raise ConfigError(
                f"[answer] entailment joins entailment, neutral and contradiction; the task has {num_labels} labels. "
                "Use name = 'label'."
            )
        self.drop, self.verdict = nn.Dropout(dropout), nn.Linear(dim, 3)
        nn.init.zeros_(self.verdict.weight)
        with torch.no_grad():  # most words are entailed: without this, long texts begin as sure contradictions
            self.verdict.bias.copy_(torch.tensor([2.0, 0.0, -1.0]))

    def forward(self, states: States, trace: Trace) -> Scores:
        log_p = self.verdict(self.drop(trace.output)).log_softmax(-1)  # (cycles, batch, 3)
        prefix = join(log_p.masked_fill(~trace.running[..., None], 0.0), trace.running)
        value = (prefix * trace.weight[..., None]).sum(0)  # the weight lies on one cycle of each row
        labels = torch.arange(3, device=value.device)
        return Scores(
            value.flatten(), states.batch.group.repeat_interleave(3), labels.repeat(len(value)), prefix.flatten(1)
        )


def join(log_verdict: Float[Tensor, "cycles batch 3"], running: Tensor) -> Float[Tensor, "cycles batch 3"]:
    r"""Return $\log P_i$ for every cycle, from $\log (e_i, n_i, c_i)$; cycles that do not run change nothing."""
    entailed = (log_verdict[..., 0] * running).cumsum(0)
    safe = (log_verdict[..., 2].exp() * running).clamp_max(1 - _TINY)
    kept = torch.log1p(-safe).cumsum(0)
    p = torch.stack([entailed.exp(), kept.exp() - entailed.exp(), 1 - kept.exp()], dim=-1).clamp_min(_TINY)
    return (p / p.sum(-1, keepdim=True)).log()
