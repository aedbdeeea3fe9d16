"""Opens what a run left behind."""

from pathlib import Path

from kgreason.errors import StoreError
from kgreason.experiment import record
from kgreason.experiment.build import build_front, build_reasoner
from kgreason.experiment.config import ExperimentConfig
from kgreason.pipeline import Pipeline
from kgreason.train import WEIGHTS, load_weights


def load(folder: str | Path, device: str = "cpu") -> Pipeline:
    """Open the folder of a run as a pipeline that answers questions.

    Args:
        folder: A folder that `kgreason run` made.
        device: Where the reasoner computes.

    Raises:
        StoreError: If it is no such folder, or one of its files is damaged or does not fit.
        ConfigError: If its config names something that is no longer there.
    """
    path = Path(folder)
    if not (path / record.CONFIG).is_file():
        raise StoreError(
            f"{path} holds no {record.CONFIG}: it is not the folder of a run. Make one with: kgreason run FILE"
        )
    config = ExperimentConfig.from_toml(path / record.CONFIG)
    front = build_front(config)
    reasoner = build_reasoner(config, front)
    load_weights(reasoner, path / WEIGHTS)
    return Pipeline(front.task, front.parse, front.knowledge, front.ground, front.collate, reasoner, device)
