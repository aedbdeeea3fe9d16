"""Opens what a run left behind."""

from pathlib import Path

from kgreason.errors import StoreError
from kgreason.experiment import record
from kgreason.experiment.build import build_front, build_reasoner
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.reading import recall
from kgreason.knowledge import Texts
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
    return assemble(read_config(folder), folder, device)


def read_config(folder: str | Path) -> ExperimentConfig:
    """Return the config of a run.

    Raises:
        StoreError: If it is not the folder of one.
        ConfigError: If the config is wrong.
    """
    path = Path(folder) / record.CONFIG
    if not path.is_file():
        raise StoreError(
            f"{path.parent} holds no {record.CONFIG}: it is not the folder of a run. Make one with: kgreason run FILE"
        )
    return ExperimentConfig.from_toml(path)


def assemble(
    config: ExperimentConfig, folder: str | Path | None, device: str = "cpu", texts: Texts | None = None
) -> Pipeline:
    """Build a pipeline, with the weights of a run if its folder is given.

    Args:
        config: What it is made of.
        folder: The run, or None.
        device: Where the reasoner computes.
        texts: What a remote graph is asked about.

    Raises:
        StoreError: If the weights are damaged or do not fit, or the knowledge graph cannot be opened.
        ConfigError: If the config names something that is not there.
    """
    front = build_front(config, texts)
    reasoner = build_reasoner(config, front)
    if folder is not None:
        load_weights(reasoner, Path(folder) / WEIGHTS)
        recall(front, Path(folder))
    return Pipeline(front.task, front.parse, front.knowledge, front.ground, front.collate, reasoner, device)
