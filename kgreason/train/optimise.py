"""The optimiser, its learning rates over time, and the precision of the encoder."""

import math

import torch
from torch import nn

from kgreason.errors import ConfigError
from kgreason.runtime import has_bfloat16
from kgreason.train.settings import Precision, TrainSettings

#: Parameters whose name starts so are those of the language model.
LANGUAGE = "encode.language."


def trainable(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that training changes, by name."""
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


def build_optimiser(module: nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    """Return AdamW over the trainable parameters: two rates, and weight decay for matrices alone.

    Each group keeps its highest rate as `top`; `set_rates` derives `lr` from it.

    Raises:
        ConfigError: If nothing can be trained.
    """
    parameters = trainable(module)
    if not parameters:
        raise ConfigError("[train] there is nothing to train: every parameter is frozen, or there is none.")
    groups = []
    for rate in ("language", "other"):
        ours = [p for name, p in parameters.items() if name.startswith(LANGUAGE) == (rate == "language")]
        for decays in (True, False):
            members = [p for p in ours if (p.ndim > 1) == decays]
            decay = settings.weight_decay if decays else 0.0
            if members:
                groups.append({"params": members, "top": settings.lr[rate], "rate": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, lr=0.0, fused=_can_fuse(parameters))


def set_rates(optimiser: torch.optim.Optimizer, settings: TrainSettings, step: int, steps: int) -> dict[str, float]:
    """Set the learning rates of a step (counted from 0) and return them by name."""
    factor = rate_factor(settings, step, steps)
    for group in optimiser.param_groups:
        group["lr"] = group["top"] * factor
    return {str(group["rate"]): float(group["lr"]) for group in optimiser.param_groups}


def rate_factor(settings: TrainSettings, step: int, steps: int) -> float:
    r"""Return the share of the highest rate at a step: up over the warm-up of $u$ steps, then down to 0 or level.

    $$f(s) = \frac{s + 1}{u} \;(s < u), \qquad
      \tfrac{1}{2}\Big(1 + \cos \pi \tfrac{s - u}{S - u}\Big) \text{ or } 1 - \tfrac{s - u}{S - u} \text{ or } 1$$
    """
    warm = math.ceil(settings.warmup * steps)
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    if settings.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1 - done if settings.schedule == "linear" else 1.0


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context the reasoner runs in: bfloat16 where it is wanted and, for `auto`, where it is fast."""
    low = precision == "bf16" or (precision == "auto" and has_bfloat16(device.type))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=low)


def _can_fuse(parameters: dict[str, nn.Parameter]) -> bool:
    return all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters.values())
