"""Who does the work of a build that is cut into pieces: some processes of this machine, or a Spark cluster."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Protocol, TypeVar, final, runtime_checkable

from kgreason.errors import ConfigError, KgreasonError, MissingExtraError

_QUIET = [("spark.ui.enabled", "false"), ("spark.ui.showConsoleProgress", "false"), ("spark.log.level", "ERROR")]
T = TypeVar("T")
R = TypeVar("R")


@runtime_checkable
class Crew(Protocol):
    """Does the same work on many pieces, several at once.

    Attributes:
        size: How many pieces are worked on at once.
    """

    size: int

    def each(self, work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
        """Return what comes of each piece, in order. The work must be a function that can be sent to a worker.

        Raises:
            KgreasonError: The first that any of the work raised.
        """
        ...


@final
class Processes:
    """Processes of this machine.

    Args:
        size: How many; with one, the work is done here.

    Raises:
        ConfigError: If it is not above 0.
    """

    def __init__(self, size: int = 1) -> None:
        if size < 1:
            raise ConfigError(f"{size} workers cannot do any work; expected at least 1.")
        self.size = size

    def each(self, work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
        """Return what comes of each piece, in order."""
        if self.size == 1 or len(pieces) < 2:
            return [work(piece) for piece in pieces]
        context = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks, but not the threads
        with ProcessPoolExecutor(min(self.size, len(pieces)), mp_context=context) as pool:
            return _sound(list(pool.map(partial(_told, work), pieces)))


@final
class Spark:
    """The executors of a Spark cluster, which have kgreason installed and see the same folders as this machine does.

    Args:
        master: As Spark has it: `local[4]`, `spark://host:7077`, `yarn`; nothing to leave it to `spark-submit`.

    Raises:
        MissingExtraError: If pyspark is not installed.
    """

    def __init__(self, master: str = "") -> None:
        try:
            from pyspark import SparkConf, SparkContext
        except ImportError:
            raise MissingExtraError("pyspark", "spark", "A build as a Spark job") from None
        if master.startswith("local"):
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        conf = SparkConf().setAppName("kgreason graph build").setAll(_QUIET)
        try:
            self._context = SparkContext.getOrCreate(conf.setMaster(master) if master else conf)
        except Exception as error:  # what the Java side throws has no class of its own here
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise ConfigError(f"Spark does not start with the master '{master}': {said[0][:300]}") from None
        self.size = int(self._context.defaultParallelism)

    def each(self, work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
        """Return what comes of each piece, in order."""
        if not pieces:
            return []
        found = self._context.parallelize(list(pieces), len(pieces)).map(partial(_told, work)).collect()
        return _sound(found)

    def stop(self) -> None:
        """Give the cluster back."""
        self._context.stop()


def _told(work: Callable[[T], R], piece: T) -> R | KgreasonError:
    """Do the work; an error that is meant for the reader comes back as what it is, and is not tried again."""
    try:
        return work(piece)
    except MissingExtraError as error:  # which takes other arguments than its message, and cannot be sent
        return ConfigError(str(error))
    except KgreasonError as error:
        return error


def _sound(found: "Sequence[R | KgreasonError]") -> list[R]:
    for each in found:
        if isinstance(each, KgreasonError):
            raise each
    return [each for each in found if not isinstance(each, KgreasonError)]
