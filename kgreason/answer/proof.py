"""Entailment, neutral or contradiction: what a proof by natural logic has come to."""

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from kgreason.answer.label import mix
from kgreason.errors import ConfigError
from kgreason.tensors import Proof, Scores, States, Trace

_TINY = 1e-6
#: The label of each relation: entailment for ≡ ⊏, neutral for ⊐ ⌣ #, contradiction for ^ |.
_LABEL = (0, 0, 1, 2, 2, 1, 1)
_NEUTRAL = 1
#: How much a row counts in which nothing was proved; the rest is an even guess.
_UNPROVED = 0.25


@final
class ProofHead(nn.Module):
    r"""Reads the label off the state of a proof.

    $$\begin{aligned}
      p_{\mathrm{entailment}} &= s[\equiv] + s[\sqsubset], \quad
      p_{\mathrm{contradiction}} = s[\wedge] + s[|], \quad p_{\mathrm{neutral}} = \text{the rest} \\
      q &= \mathrm{softmax}\big(\log p / T + b\big), \qquad
      \mathrm{value} = \log q \ \text{ or } \ \log\big(\tfrac14 q + \tfrac14\big)
    \end{aligned}$$

    the latter where nothing was proved (no edits, or too many), so that no label of an empty proof is surer than a
    half. The temperature $T$ and the bias $b$ are parameters: training sets them, and a run can set $T$ once more on
    its dev split (`calibrate`).

    Args:
        num_labels: Must be 3; the candidates are entailment, neutral, contradiction in this order.
        temperature: $T$ at first; above 1 for a reasoner that is too sure of itself.
        bias: $b$ at first, one number per label.
        uncertain: If no label is as probable as this, neutral changes places with the likeliest one.

    Raises:
        ConfigError: If there are not three labels and biases, `temperature` is not above 0 or `uncertain` no share; or
            if the decoder proves nothing, or has a learned one beside it.

    Reference:
        MacCartney and Manning (2009, IWCS-8), section 2, for the labels of the seven relations.
    """

    label: Tensor

    def __init__(
        self,
        num_labels: int,
        temperature: float = 1.0,
        bias: tuple[float, ...] = (0.0, 0.0, 0.0),
        uncertain: float = 0.0,
    ) -> None:
        super().__init__()
        if num_labels != 3 or len(bias) != 3:
            raise ConfigError(
                f"[answer] proof: tells entailment, neutral and contradiction; there are {num_labels} labels and "
                f"{len(bias)} biases."
            )
        if temperature <= 0 or not 0 <= uncertain <= 1:
            raise ConfigError(
                f"[answer] proof: temperature = {temperature} must be above 0, uncertain = {uncertain} a share."
            )
        self.uncertain = uncertain
        self.log_temperature = nn.Parameter(torch.tensor(float(temperature)).log())
        self.bias = nn.Parameter(torch.tensor([float(b) for b in bias]))
        self.register_buffer("label", torch.eye(3)[list(_LABEL)], persistent=False)

    def forward(self, states: States, trace: Trace) -> Scores:
        if trace.proof is None or trace.proof.gate is not None:
            said = "proves nothing; use natural_logic" if trace.proof is None else "has two minds; use answer = 'gated'"
            raise ConfigError(f"[answer] proof: the decoder {said}.")
        cycle = self.read(trace.proof)
        value = mix(cycle, trace.weight[..., None])
        return label_scores(value, cycle, states)

    def read(self, proof: Proof) -> Float[Tensor, "cycles batch 3"]:
        """Return the logarithm of the probability of each label after each cycle."""
        p = (proof.state @ self.label).clamp_min(_TINY)
        q = (p.log() / self.log_temperature.exp() + self.bias).softmax(-1)
        q = torch.where(proof.proved[None, :, None], q, _UNPROVED * q + (1 - _UNPROVED) / 3)
        return neutral_if(q, q.amax(-1) < self.uncertain).log()


def neutral_if(q: Float[Tensor, "*rows 3"], unsure: Bool[Tensor, "*rows"]) -> Float[Tensor, "*rows 3"]:
    """Let neutral change places with the likeliest label, in some rows."""
    best = q.argmax(-1, keepdim=True)
    order = torch.arange(3, device=q.device).expand_as(q)
    swapped = torch.where(order == _NEUTRAL, best, torch.where(order == best, _NEUTRAL, order))
    return torch.where(unsure[..., None], q.gather(-1, swapped), q)


def label_scores(value: Float[Tensor, "batch 3"], cycle: Float[Tensor, "cycles batch 3"], states: States) -> Scores:
    """Return the scores of three labels for every row."""
    group = states.batch.group.repeat_interleave(3)
    return Scores(value.flatten(), group, torch.arange(3, device=value.device).repeat(len(value)), cycle.flatten(1))
