"""Run a reasoner over data, without training it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from kgreason.errors import ConfigError, DataError
from kgreason.reasoner import Reasoner
from kgreason.segments import segment_softmax
from kgreason.tensors import GraphBatch, Scores, Trace
from kgreason.train.optimise import autocast
from kgreason.train.processes import OneProcess, Processes
from kgreason.train.settings import Precision


@runtime_checkable
class Loader(Protocol):
    """Batches, in an order that the epoch fixes. With several processes, each has a loader of its own share."""

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        """Pick the order of the next iteration, and how many batches of it to skip."""
        ...

    def __len__(self) -> int:
        """Return how many batches an epoch has."""
        ...

    def __iter__(self) -> Iterator[GraphBatch]: ...


@final
@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a reasoner says about every example, in the order of the data set. Entry `i` of each column is example `i`.

    Args:
        example: Its position in the data set (`GraphBatch.example`); ascending.
        candidate: Its candidates, in the order of the head: labels 0, 1, 2; positions of choices; nodes of the batch.
        probability: Of each candidate; sums to 1.
        per_cycle: The probability each cycle alone gives, (cycles, candidates).
        cycles: How many cycles it ran; of several rows, the longest.
        right: The candidates that are right; empty if unknown.
    """

    example: Int[ndarray, " examples"]
    candidate: list[Int[ndarray, " _"]]  # examples may differ in their number of candidates
    probability: list[Float[ndarray, " _"]]
    per_cycle: list[Float[ndarray, "_ _"]]
    cycles: Int[ndarray, " examples"]
    right: list[Int[ndarray, " _"]]

    def __len__(self) -> int:
        return len(self.example)

    def answers(self) -> Int[ndarray, " examples"]:
        """Return the most probable candidate of each example; -1 where there is none."""
        pairs = zip(self.candidate, self.probability, strict=True)
        return np.array([c[p.argmax()] if len(c) else -1 for c, p in pairs], np.int64)


def accuracy(predictions: Predictions) -> dict[str, float]:
    """Return `accuracy` and `loss` (mean −log of the probability of the right answers) over examples with answers."""
    known = [i for i, right in enumerate(predictions.right) if len(right)]
    answers, loss = predictions.answers(), 0.0
    for i in known:
        p = predictions.probability[i][np.isin(predictions.candidate[i], predictions.right[i])].sum()
        loss -= float(np.log(max(float(p), 1e-12)))
    hits = sum(bool(np.isin(answers[i], predictions.right[i])) for i in known)
    return {"accuracy": hits / max(1, len(known)), "loss": loss / max(1, len(known))}


def predict(
    reasoner: Reasoner, loader: Loader, *, precision: Precision = "auto", processes: Processes | None = None
) -> Predictions:
    """Return the probabilities of every example, in the order of the data set, whatever the order of the loader.

    With several processes each passes a loader of its share, and all get the whole. Nothing is padded or repeated.

    Args:
        reasoner: Is put in evaluation mode for the time of the call.
        loader: The batches; as it stands, `set_epoch` is not called.
        precision: See `TrainSettings`.
        processes: Those that share the work; None for this one alone.

    Raises:
        DataError: If an example comes twice, or the loader is empty.
    """
    processes = OneProcess() if processes is None else processes
    device, training = next(reasoner.parameters(), torch.empty(0)).device, reasoner.training
    parts: list[Predictions] = []
    reasoner.eval()
    try:
        with torch.no_grad(), autocast(precision, device):
            for batch in loader:
                moved = batch.to(device)
                scores, trace = reasoner(moved)
                parts.append(_read_off(scores, trace, moved))
    finally:
        reasoner.train(training)
    return _join([part for share in processes.gather(parts) for part in share])


def pick(metrics: Mapping[str, float], name: str) -> float:
    """Return the metric that selects the epoch, turned so that more is better.

    Raises:
        ConfigError: If there is no such metric.
    """
    if name not in metrics:
        raise ConfigError(f"[train] select = {name!r} is not a metric of this task. Known: {', '.join(metrics)}.")
    return -metrics[name] if name == "loss" else metrics[name]


def _read_off(scores: Scores, trace: Trace, batch: GraphBatch) -> Predictions:
    groups = batch.num_groups
    values = scores.value[None] if scores.cycle is None else scores.cycle
    probability = segment_softmax(scores.value, scores.group, groups)
    per_cycle = torch.stack([segment_softmax(cycle, scores.group, groups) for cycle in values])
    cuts = _cuts(scores.group, groups)
    length = trace.running.sum(0)
    longest = length.new_zeros(groups).scatter_reduce(0, batch.group, length, "amax")
    if batch.target is None:
        right = [np.empty(0, np.int64)] * groups
    else:
        order = batch.target[0].argsort(stable=True)
        right = np.split(batch.target[1][order].cpu().numpy(), _cuts(batch.target[0][order], groups))
    return Predictions(
        example=batch.example.cpu().numpy(),
        candidate=np.split(scores.candidate.cpu().numpy(), cuts),
        probability=np.split(probability.float().cpu().numpy(), cuts),
        per_cycle=np.split(per_cycle.float().cpu().numpy(), cuts, axis=1),
        cycles=longest.cpu().numpy(),
        right=right,
    )


def _cuts(group: Tensor, groups: int) -> ndarray:
    """Return where the items of group 1, 2, … begin."""
    return torch.searchsorted(group, torch.arange(1, groups, device=group.device)).cpu().numpy()


def _join(parts: list[Predictions]) -> Predictions:
    if not parts:
        raise DataError("There is nothing to predict: the loader has no batch.")
    example = np.concatenate([part.example for part in parts])
    order = example.argsort(kind="stable")
    twice = np.flatnonzero(np.diff(example[order]) == 0)
    if len(twice):
        raise DataError(
            f"Example {example[order][twice[0]]} comes twice. Predict with a loader that repeats nothing "
            "(shuffle = false) and, with several processes, gives each its own share."
        )

    def column(name: str) -> list[ndarray]:
        flat = [entry for part in parts for entry in getattr(part, name)]
        return [flat[i] for i in order]

    return Predictions(
        example[order],
        column("candidate"),
        column("probability"),
        column("per_cycle"),
        np.concatenate([part.cycles for part in parts])[order],
        column("right"),
    )
