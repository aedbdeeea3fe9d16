"""Run a reasoner over data, without training it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from kgreason.data import Predictions, Ranks
from kgreason.errors import ConfigError, DataError
from kgreason.reasoner import Reasoner
from kgreason.segments import segment_softmax
from kgreason.tensors import GraphBatch, Scores, Trace
from kgreason.train.optimise import autocast
from kgreason.train.processes import OneProcess, Processes
from kgreason.train.ranks import best_first, rank
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
    reasoner: Reasoner,
    loader: Iterable[GraphBatch],
    *,
    precision: Precision = "auto",
    processes: Processes | None = None,
    keep: int = 100,
) -> Predictions:
    """Return the probabilities of every example, in the order of the data set, whatever the order of the loader.

    With several processes each passes a loader of its share, and all get the whole. Nothing is padded or repeated.

    Args:
        reasoner: Is put in evaluation mode for the time of the call.
        loader: The batches; as it stands, `set_epoch` is not called.
        precision: See `TrainSettings`.
        processes: Those that share the work; None for this one alone.
        keep: How many candidates of an example are kept, the best first, where they are what a walk touched
            (`Scores.partial`). What metrics need to know of the others is counted before (`Ranks`), so that 40,000
            questions that touch 10,000 entities each need no gigabytes.

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
                parts.append(_read_off(scores, trace, moved, keep))
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


def _read_off(scores: Scores, trace: Trace, batch: GraphBatch, keep: int) -> Predictions:
    groups = batch.num_groups
    values = scores.value[None] if scores.cycle is None else scores.cycle
    shares = [segment_softmax(scores.value, scores.group, groups)]
    shares += [segment_softmax(cycle, scores.group, groups) for cycle in values]
    probability, *per_cycle = torch.stack(shares).float().cpu().numpy()
    candidate, cuts = scores.candidate.cpu().numpy(), _cuts(scores.group, groups)
    length = trace.running.sum(0)
    longest = length.new_zeros(groups).scatter_reduce(0, batch.group, length, "amax")
    question, right = np.zeros((2, 0), np.int64)
    if batch.target is not None:
        question, right = batch.target[:, batch.target[0].argsort(stable=True)].cpu().numpy()
    most = len(probability) if not scores.partial else keep
    taken = [start + best_first(probability[start:stop], most) for start, stop in pairwise(cuts)]
    return Predictions(
        example=batch.example.cpu().numpy(),
        candidate=[candidate[at] for at in taken],
        probability=[probability[at] for at in taken],
        per_cycle=[np.stack(per_cycle)[:, at] for at in taken],
        cycles=longest.cpu().numpy(),
        right=np.split(right, np.searchsorted(question, np.arange(1, groups))),
        ranks=rank(candidate, probability, cuts, question, right),
        seeds=_seeds(batch),
    )


def _seeds(batch: GraphBatch) -> list[ndarray]:
    """Return the entities in the graph of each example."""
    entity = batch.node_entity >= 0
    group = batch.group[batch.node_graph[entity]].cpu().numpy()
    found = batch.node_entity[entity].cpu().numpy()
    return np.split(found, np.searchsorted(group, np.arange(1, batch.num_groups)))


def _cuts(group: Tensor, groups: int) -> ndarray:
    """Return where the items of group 0, 1, 2, … begin, and where the last one's end."""
    return torch.searchsorted(group, torch.arange(groups + 1, device=group.device)).cpu().numpy()


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
        Ranks.join([part.ranks for part in parts if part.ranks is not None], order),
        column("seeds"),
    )
