"""The head that mixes what a proof says with what was learned."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from kgreason.answer.proof import ProofHead, label_scores
from kgreason.errors import ConfigError
from kgreason.rooms import Head
from kgreason.tensors import Scores, States, Trace


@final
class GatedHead(nn.Module):
    r"""Mixes the labels of a proof and of a learned decoder beside it, as the gate says.

    $$p = g\, p^{\mathrm{proof}} + (1 - g)\, p^{\mathrm{learned}}, \qquad
      \mathrm{value} = \log p / T$$

    with the gate $g$ of `BesideDecoder`, computed in the logarithm. Every cycle of the learned decoder is mixed with
    the conclusion of the proof. `T` is set by training, and once more by `calibrate`.

    Args:
        learned: The head that reads the learned decoder, with the same labels: `{name = "entailment"}` for `edits`,
            `{name = "label"}` for `cycle`.
        num_labels: Must be 3.

    Raises:
        ConfigError: If there are not three labels, or the decoder has no gate.
    """

    def __init__(self, learned: Head, num_labels: int) -> None:
        super().__init__()
        self.proof, self.learned = ProofHead(num_labels), learned
        self.log_temperature = nn.Parameter(torch.zeros(()))

    def forward(self, states: States, trace: Trace) -> Scores:
        if trace.proof is None or trace.proof.gate is None:
            raise ConfigError("[answer] gated: the decoder has no gate; use decode = 'beside'.")
        told = self.learned(states, trace)
        rows = len(states.query)
        proved = self.proof.read(trace.proof)[-1]
        g = trace.proof.gate[:, None].clamp(1e-6, 1 - 1e-6)
        value = self._mix(g, proved, told.value.view(rows, 3))
        cycle = value[None] if told.cycle is None else self._mix(g, proved, told.cycle.view(-1, rows, 3))
        return label_scores(value, cycle.expand(len(trace.output), -1, -1), states)

    def _mix(
        self, g: Float[Tensor, "batch 1"], proved: Float[Tensor, "batch 3"], scores: Float[Tensor, "*cycles batch 3"]
    ) -> Float[Tensor, "*cycles batch 3"]:
        p = torch.logaddexp(g.log() + proved, (1 - g).log() + scores.log_softmax(-1))
        return functional.log_softmax(p / self.log_temperature.exp(), dim=-1)
