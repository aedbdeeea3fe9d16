"""What runs in one process share: opened graphs, data that were read, examples that were prepared."""

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, final

from kgreason.collate import Prepared
from kgreason.data import KnowledgeGraph
from kgreason.experiment.build import Front, build_front
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.prepare import Step, checksums_of, prepare
from kgreason.knowledge import is_remote
from kgreason.tasks import Split, Splits

T = TypeVar("T")
#: What a front is made of; the seed and the reasoner are not.
_FRONT = ("task", "parse", "knowledge", "ground", "collate", "train")
#: How many of each are kept: the graph of an ablation and its spoilt ones; of prepared examples those of one run.
_GRAPHS, _FRONTS, _PREPARED = 3, 4, 2


@final
@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What a run starts from, read and checked.

    Args:
        front: What turns texts into tensors.
        splits: The data.
        checksums: Of the graph and of every file of the data.
    """

    front: Front
    splits: Splits
    checksums: dict[str, str]


@final
class Shelf:
    """Keeps what was opened last, so that the next run of the same process need not open it again.

    Nothing on it is ever changed by a run; a file that changes on disk meanwhile is not noticed, as it is not noticed
    in the middle of a run.
    """

    def __init__(self) -> None:
        self._graphs: OrderedDict[str, KnowledgeGraph] = OrderedDict()
        self._fronts: OrderedDict[str, Opened] = OrderedDict()
        self._prepared: OrderedDict[tuple[str, str], Sequence[Prepared]] = OrderedDict()

    def open(self, config: ExperimentConfig) -> Opened:
        """Return what a run of an experiment starts from.

        Raises:
            ConfigError: If a name or an argument is wrong.
            DataError: If a data set is.
            StoreError: If the knowledge graph cannot be opened.
        """
        return _kept(self._fronts, _front_key(config), _FRONTS, lambda: self._open(config))

    def front(self, config: ExperimentConfig) -> Front:
        """Return what turns texts into tensors, without reading the data.

        Raises:
            ConfigError: If a name or an argument is wrong.
            StoreError: If the knowledge graph cannot be opened.
        """
        known = self._fronts.get(_front_key(config))
        return known.front if known else self._front(config)

    def prepare(self, config: ExperimentConfig, split: Split, what: str, step: Step) -> Sequence[Prepared]:
        """Return the prepared examples of a split; see `kgreason.experiment.prepare`. Those of tests are not kept."""
        front = self.open(config).front
        if what not in ("train", "dev"):
            return prepare(front, config, split, what, step)
        key = (_front_key(config), what)
        return _kept(self._prepared, key, _PREPARED, lambda: prepare(front, config, split, what, step))

    def _open(self, config: ExperimentConfig) -> Opened:
        front = self._front(config)
        splits = front.splits()
        return Opened(front, splits, checksums_of(front, splits))

    def _front(self, config: ExperimentConfig) -> Front:
        tables = config.as_tables()
        key = _key(tables, ("knowledge", "task") if _asks(tables["knowledge"]) else ("knowledge",))
        front = build_front(config, knowledge=self._graphs.get(key))
        _kept(self._graphs, key, _GRAPHS, lambda: front.knowledge)
        return front


def _asks(table: dict[str, Any]) -> bool:
    """Return whether a graph is asked for what the texts need, itself or the one it stands around."""
    inner = table.get("around")
    inner = {"name": inner} if isinstance(inner, str) else inner
    return is_remote(table) or (isinstance(inner, dict) and _asks(inner))


def _front_key(config: ExperimentConfig) -> str:
    tables = config.as_tables()
    language = tables["encode"].get("language", {})
    model = language.get("model", "") if isinstance(language, dict) else language
    return f"{_key(tables, _FRONT)} {model}"


def _key(tables: dict[str, Any], rooms: Sequence[str]) -> str:
    return json.dumps({room: tables[room] for room in rooms}, sort_keys=True)


def _kept(shelf: "OrderedDict[Any, T]", key: Any, most: int, make: Callable[[], T]) -> T:
    if key not in shelf:
        while len(shelf) >= most:  # before, so that memory never holds one more
            shelf.popitem(last=False)
        shelf[key] = make()
    shelf.move_to_end(key)
    return shelf[key]
