"""How long a step takes: measured on a few batches, with the weights put back as they were."""

import copy
import time
from collections.abc import Callable, Sequence

import torch

from kgreason.reasoner import Reasoner
from kgreason.tensors import GraphBatch
from kgreason.train.consistency import batch_loss
from kgreason.train.optimise import autocast, build_optimiser
from kgreason.train.settings import TrainSettings


def time_steps(
    reasoner: Reasoner, batches: Sequence[GraphBatch], settings: TrainSettings
) -> tuple[float, float, float]:
    """Time a step of the optimiser, and a look, on some batches; the first is for warming up and does not count.

    Args:
        reasoner: Is left as it was.
        batches: At least two, with targets.
        settings: As in training.

    Returns:
        Seconds of a step (0 where nothing is trained), of a first look at a batch, and of a second look: the first
        computes the states of a frozen language model, unless they are in the cache.
    """
    device = next(reasoner.parameters(), torch.empty(0)).device
    moved = [batch.to(device) for batch in batches]
    training, state = reasoner.training, copy.deepcopy(reasoner.state_dict())

    def look(batch: GraphBatch) -> None:
        with torch.no_grad(), autocast(settings.precision, device):
            reasoner(batch)

    reasoner.eval()
    look(moved[0])
    first, second = _mean(look, moved[1:]), _mean(look, moved[1:])
    step = _step_seconds(reasoner, moved, settings) if settings.epochs else 0.0
    reasoner.load_state_dict(state)
    reasoner.train(training)
    return step, first, second


def _step_seconds(reasoner: Reasoner, batches: Sequence[GraphBatch], settings: TrainSettings) -> float:
    optimiser = build_optimiser(reasoner, settings)

    def step(batch: GraphBatch) -> None:
        batch_loss(reasoner, batch, settings).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    reasoner.train()
    step(batches[0])
    return _mean(step, batches[1:])


def _mean(work: Callable[[GraphBatch], None], batches: Sequence[GraphBatch]) -> float:
    begin = time.perf_counter()
    for batch in batches:
        work(batch)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - begin) / len(batches)
