"""Sets a head's temperature on held-out data, after training."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import nn

from kgreason.data import Predictions
from kgreason.errors import ConfigError
from kgreason.reasoner import Reasoner, in_float32
from kgreason.train.checkpoint import save_weights
from kgreason.train.loop import FitResult
from kgreason.train.loss import loss_of
from kgreason.train.optimise import autocast
from kgreason.train.predict import Loader, accuracy, predict
from kgreason.train.processes import Processes, join_processes
from kgreason.train.settings import Precision

#: The factors that are tried, evenly in the logarithm: from a quarter of the temperature to eight times.
_TRIED = [2.0 ** (step / 8) for step in range(-16, 25)]


def calibrated(
    reasoner: Reasoner,
    dev_loader: Loader,
    fitted: FitResult,
    precision: Precision = "auto",
    evaluate: Callable[[Predictions], Mapping[str, float]] = accuracy,
) -> tuple[FitResult, float]:
    r"""Return what training came to with the head's temperature set anew, and that temperature.

    $$T \leftarrow T \cdot \arg\min_f\; -\sum_{b \in \mathrm{dev}} \log p_{f T}(\text{right answers of } b)$$

    over 41 factors $f$ from $\frac14$ to 8. No answer changes but where it is near a tie, all probabilities do. The
    temperature stands in the checkpoint like any other weight.

    Args:
        reasoner: Trained. Its head has a parameter `log_temperature`.
        dev_loader: Examples that it was not trained on.
        fitted: What training came to; its file of weights is written anew.
        precision: See `TrainSettings`.
        evaluate: From the predictions on the dev set to metrics by name.

    Raises:
        ConfigError: If the head has no temperature, or there are no examples.
        StoreError: If the weights cannot be written.

    Reference:
        Guo, Pleiss, Sun and Weinberger (2017, arXiv:1706.04599), section 4.2.
    """
    temperature = getattr(reasoner.answer, "log_temperature", None)
    if not isinstance(temperature, nn.Parameter):
        name = type(reasoner.answer).__name__
        raise ConfigError(f"[train] calibrate: {name} has no temperature. Use answer = 'proof' or 'gated'.")
    processes = join_processes()
    if not any(processes.gather(len(dev_loader))):
        raise ConfigError("[train] calibrate: there are no dev examples to set a temperature on; give [task] dev.")
    losses = _losses(reasoner, temperature, dev_loader, precision, processes)
    best = _TRIED[min(range(len(_TRIED)), key=losses.__getitem__)]
    with torch.no_grad():
        temperature.add_(math.log(best))
    found = predict(reasoner, dev_loader, precision=precision, processes=processes)
    metrics = {name: float(value) for name, value in evaluate(found).items()}
    if processes.rank == 0:
        save_weights(reasoner, fitted.weights, {"epoch": fitted.epochs, "metrics": metrics})
    return replace(fitted, metrics=metrics), float(temperature.detach().exp())


@torch.no_grad()
def _losses(
    reasoner: Reasoner, temperature: nn.Parameter, loader: Loader, precision: Precision, processes: Processes
) -> list[float]:
    """Return the loss over the dev set for each factor; every batch is encoded and decoded once."""
    start, training, device = temperature.clone(), reasoner.training, temperature.device
    total = [0.0] * len(_TRIED)
    reasoner.eval()
    for batch in loader:
        moved = batch.to(device)
        with autocast(precision, device):
            states = reasoner.encode(moved)
        states = in_float32(states)
        trace = replace(reasoner.decode(states), loss=None)
        for i, factor in enumerate(_TRIED):
            temperature.copy_(start + math.log(factor))
            total[i] += float(loss_of(reasoner.answer(states, trace), trace, moved))
    temperature.copy_(start)
    reasoner.train(training)
    return [sum(shares) for shares in zip(*processes.gather(total), strict=True)]
