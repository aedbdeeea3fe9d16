"""Puts questions to any knowledge graph, with a reasoner that was trained or with one that needs no training."""

from functools import partial
from pathlib import Path
from typing import Any

from kgreason.errors import ConfigError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.remote import RemotePipeline
from kgreason.experiment.restore import assemble, read_config
from kgreason.knowledge import is_remote, table_of
from kgreason.pipeline import Pipeline
from kgreason.tasks import TASKS

#: What answers without training: relations are followed by what they are called.
UNTRAINED: dict[str, dict[str, Any]] = {
    "task": {"name": "kgqa"},
    "parse": {"name": "surface"},
    "ground": {"name": "seeds", "link": "auto"},
    "collate": {"name": "default", "max_tokens": 128, "mask": True},
    "encode": {"name": "fused", "language": {"name": "pretrained", "model": "minilm", "tune": "frozen"}},
    "decode": {"name": "similar"},
    "answer": {"name": "entity", "seeds": "last", "none": "walk"},
    "train": {"name": "none"},
}


def over(graph: str | Path, run: str | Path | None = None, device: str = "cpu") -> Pipeline | RemotePipeline:
    """Open a reasoner that answers questions over a knowledge graph, with no training, or with that of a run.

    ```python
    reasoner = kgreason.over("my-graph.ttl")
    prediction = reasoner.ask("What is the capital of France?")
    prediction.answer, prediction.path
    ```

    Args:
        graph: The name of a graph, the folder of a store, a file in any known form (built once, then cached), a
            manifest, or the address of a SPARQL endpoint.
        run: The folder of a run; its relations must be those of the graph, unless its decoder reads their texts.
        device: Where the reasoner computes.

    Raises:
        ConfigError: If there is no such graph, or the run was trained for another kind of task.
        DataError: If the graph's file is broken.
        StoreError: If the run is damaged, or does not fit the graph.
    """
    knowledge = table_of(str(graph))
    config = _untrained(knowledge) if run is None else _trained(Path(run), knowledge)
    if is_remote(knowledge):
        open_around = partial(assemble, config, run, device)
        return RemotePipeline(TASKS.build({"name": "kgqa"}), open_around)
    return assemble(config, run, device)


def _untrained(knowledge: dict[str, Any]) -> ExperimentConfig:
    return ExperimentConfig.from_dict({"title": "asked", "knowledge": knowledge} | UNTRAINED)


def _trained(run: Path, knowledge: dict[str, Any]) -> ExperimentConfig:
    config = read_config(run)
    if config.task["name"] != "kgqa":
        raise ConfigError(
            f"{run} was trained for the task '{config.task['name']}'; questions over a graph need one of the task "
            "'kgqa', such as experiments/kgqa/*.toml. Without --run, no training is needed."
        )
    link = {"link": "auto"} if config.ground["name"] == "seeds" else {}
    return config.with_overrides({"knowledge": knowledge, "ground": config.ground | link})
