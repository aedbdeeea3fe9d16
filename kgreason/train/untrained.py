"""A reasoner that is not trained, where one that is could stand."""

from collections.abc import Callable, Mapping
from pathlib import Path

from kgreason.data import Predictions
from kgreason.reasoner import Reasoner
from kgreason.train.checkpoint import save_weights
from kgreason.train.loop import WEIGHTS, FitResult
from kgreason.train.predict import Loader, accuracy, predict
from kgreason.train.processes import join_processes
from kgreason.train.settings import TrainSettings


def as_it_is(
    reasoner: Reasoner,
    dev_loader: Loader | None,
    settings: TrainSettings,
    folder: Path,
    evaluate: Callable[[Predictions], Mapping[str, float]] = accuracy,
) -> FitResult:
    """Return what `fit` would with no epoch: nothing is trained, and the dev set, if it has a batch, is scored once.

    Args:
        reasoner: As it was built.
        dev_loader: What `evaluate` looks at; None, or empty, for nothing.
        settings: Of which only the precision matters.
        folder: Gets the weights, so that the run can be opened like any other.
        evaluate: From the predictions on the dev set to metrics by name.

    Raises:
        StoreError: If the weights cannot be written.
    """
    processes, metrics = join_processes(), dict[str, float]()
    if dev_loader is not None and any(processes.gather(len(dev_loader))):
        found = predict(reasoner, dev_loader, precision=settings.precision, processes=processes)
        metrics = {name: float(value) for name, value in evaluate(found).items()}
    if not processes.rank:
        save_weights(reasoner, folder / WEIGHTS, {"epoch": 0, "metrics": {}})
    return FitResult(0, -1, metrics, [], 0.0, folder / WEIGHTS, "untrained")
