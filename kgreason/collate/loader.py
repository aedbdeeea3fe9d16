"""Batches of examples of like length, in an order that a seed and an epoch fix."""

from collections.abc import Iterator, Sequence
from typing import final

import numpy as np
from numpy import ndarray

from kgreason.collate.prepared import Prepared, assemble
from kgreason.errors import ConfigError
from kgreason.tensors import GraphBatch

#: Examples whose lengths differ by less than this many tokens count as equally long, and are shuffled.
_NEAR = 4


@final
class Loader:
    """Draws batches of like length, so that little is padding; the order is the same for the same seed and epoch.

    With `shuffle`, examples of near length (within 4 tokens) are mixed anew each epoch, and the batches come in random
    order. Without, batches go from short to long. In both cases every example comes once per epoch;
    `GraphBatch.example` says which.

    Args:
        prepared: The examples.
        batch_size: How many examples a batch holds; the last may hold fewer. An example with five choices is
            five rows.
        shuffle: Whether to shuffle.
        seed: What the order depends on, besides the epoch.
        rank: Which of `world` processes this is; each takes every `world`-th batch.
        world: How many processes share the work. When shuffling, a few batches are repeated so that all have the same
            number; else none is, and the last processes may have one batch fewer.

    Raises:
        ConfigError: If `batch_size` is not positive or `rank` is not below `world`.
    """

    def __init__(
        self,
        prepared: Sequence[Prepared],
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        *,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, got {batch_size}.")
        if not 0 <= rank < world:
            raise ConfigError(f"rank must be in 0 … {world - 1}, got {rank}.")
        self.prepared, self.batch_size, self.shuffle, self.seed = prepared, batch_size, shuffle, seed
        self.rank, self.world = rank, world
        self.lengths = np.array([p.length for p in prepared], np.int64)
        self.epoch, self.start = 0, 0

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        """Pick the epoch whose order the next iteration follows.

        Args:
            epoch: Counted from 0.
            start: How many batches of this process to skip: where an interrupted epoch goes on.
        """
        self.epoch, self.start = epoch, start

    def __len__(self) -> int:
        """How many batches a whole epoch has for this process, whatever `start` is."""
        batches = -(-len(self.prepared) // self.batch_size)
        return -(-batches // self.world) if self.shuffle else len(range(self.rank, batches, self.world))

    def __iter__(self) -> Iterator[GraphBatch]:
        for positions in self.batches()[self.start :]:
            yield assemble([self.prepared[i] for i in positions.tolist()], positions.tolist())

    def batches(self) -> list[ndarray]:
        """Return the positions of the examples of each batch of this epoch, in order."""
        size = self.batch_size
        if not self.shuffle:
            order = np.argsort(self.lengths, kind="stable")
            return [order[at : at + size] for at in range(0, len(order), size)][self.rank :: self.world]
        rng = np.random.default_rng((self.seed, self.epoch))
        order = np.lexsort((rng.random(len(self.lengths)), self.lengths // _NEAR))
        cut = [order[at : at + size] for at in range(0, len(order), size)]
        mixed = [cut[i] for i in rng.permutation(len(cut))]
        even = len(self) * self.world
        return (mixed * self.world)[:even][self.rank :: self.world]
