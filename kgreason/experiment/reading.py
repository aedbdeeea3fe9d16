"""Grounders that learn to read: taught from the train split before anything is grounded, and kept with the run."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgreason.data import Example
from kgreason.errors import ConfigError, StoreError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.parsed import CHUNK, parse_once
from kgreason.experiment.record import code_hash
from kgreason.ground.kinship import KinshipGrounder
from kgreason.ground.reader import Reader
from kgreason.places import cache_folder
from kgreason.rooms import Grounder
from kgreason.tasks import Split
from kgreason.train.reader import teach_reader

if TYPE_CHECKING:
    from kgreason.experiment.build import Front

#: The file of a run that holds what its grounder has learned.
READER = "reader.npz"
#: And that of its second reader, if it has one.
PAIRS = "pairs.safetensors"
#: Settings that change nothing of what is learned.
_ONLY_READ = ("chain", "least")
_MADE_BY = ("data", "parse", "ground")


def learn(front: "Front", config: ExperimentConfig, train: Split, folder: Path, tell: Callable[[str], None]) -> None:
    """Teach the grounder to read, if it is one that learns, and put what it has learned into the folder of the run.

    What was learned from the same stories with the same settings and code is taken from the cache.

    Raises:
        ConfigError: If there is nothing to learn from.
        StoreError: If it cannot be written.
    """
    ground = front.ground
    if not isinstance(ground, KinshipGrounder):
        return
    known = [e for e in train.examples if e.stated]
    if not known:
        raise ConfigError(
            "[ground] kinship learns from stories whose facts are known, and the train split has none: give 'facts' "
            "beside each 'story'."
        )
    kept = cache_folder() / "readers" / _key(config, known)
    try:
        _load(ground, kept)
        tell(f"A reader of {len(known)} stories, from the cache")
    except StoreError:
        tell(f"Learning to read from {len(known)} stories")
        graphs = []
        for start in range(0, len(known), CHUNK):
            graphs += parse_once(front.parse, config.parse, known[start : start + CHUNK])
        ground.learn(graphs, [e.stated for e in known], teach_reader)
        kept.mkdir(parents=True, exist_ok=True)
        _save(ground, kept)
    _save(ground, folder)


def recall(front: "Front", folder: Path) -> None:
    """Give a grounder that learns what it had learned in a run.

    Raises:
        StoreError: If the folder does not hold it.
    """
    if isinstance(front.ground, KinshipGrounder):
        _load(front.ground, folder)


def identity(ground: Grounder) -> str:
    """Return a hash of what a grounder has learned; empty if it learns nothing."""
    if not isinstance(ground, KinshipGrounder) or ground.reader is None:
        return ""
    digest = hashlib.sha256(ground.reader.embed.tobytes() + ground.reader.linear.tobytes())
    digest.update((ground.pairs.identity() if ground.pairs is not None else "").encode())
    return digest.hexdigest()


def _load(ground: KinshipGrounder, folder: Path) -> None:
    reader = Reader.load(folder / READER)
    if ground.language:
        from kgreason.ground.pairs import PairReader

        ground.pairs = PairReader.load(folder / PAIRS)
    ground.reader = reader


def _save(ground: KinshipGrounder, folder: Path) -> None:
    if ground.reader is not None:
        ground.reader.save(folder / READER)
    if ground.pairs is not None:
        ground.pairs.save(folder / PAIRS)


def _key(config: ExperimentConfig, examples: Sequence[Example]) -> str:
    tables: dict[str, Any] = config.as_tables()
    ground = {name: value for name, value in tables["ground"].items() if name not in _ONLY_READ}
    made_of = {"parse": tables["parse"], "ground": ground, "code": code_hash(_MADE_BY)}
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode())
    for e in examples:
        digest.update(json.dumps([e.texts, e.seeds, e.mentions, e.stated]).encode())
    return digest.hexdigest()[:32]
