"""A training run small enough for tests, as a script that can be interrupted, and as parts for other tests.

The task: which of two words that stand in a text comes first. Word vectors are frozen in part, so that the checkpoint
has something to leave out; there is dropout, so that the generators matter.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from kgreason.answer import LabelHead
from kgreason.decode import CycleDecoder
from kgreason.reasoner import Reasoner
from kgreason.tensors import GraphBatch, States
from kgreason.train import Progress, TrainSettings, fit, join_processes, leave_processes, seed_everything

DIM, WORDS, LABELS, EXAMPLES = 8, 12, 3, 90


class ToyEncoder(nn.Module):
    """Word vectors, half of them frozen, and one node per token."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.language = nn.Embedding(WORDS, DIM)
        vectors = torch.randn(WORDS, DIM, generator=torch.Generator().manual_seed(11))
        self.frozen = nn.Embedding.from_pretrained(vectors)  # the same in every reasoner, as a language model is
        self.place = nn.Parameter(torch.randn(6, DIM))
        self.mix = nn.Linear(DIM, DIM)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, batch: GraphBatch) -> States:
        vectors = self.language(batch.input_ids) + self.frozen(batch.input_ids)
        tokens = self.dropout(torch.tanh(self.mix(vectors * self.place[: vectors.shape[1]])))
        nodes = tokens.flatten(0, 1)[batch.link_index[1]]
        return States(tokens.mean(1), tokens, nodes, nodes[batch.edge_index[0]], batch)


def toy_reasoner(dropout: float = 0.2, seed: int = 0) -> Reasoner:
    seed_everything(seed)
    decoder = CycleDecoder(DIM, cycles=3, halt={"name": "ponder"})
    return Reasoner(ToyEncoder(dropout), decoder, LabelHead(DIM, LABELS, dropout=dropout))


def toy_batch(positions: Tensor, edges: int = 1) -> GraphBatch:
    """The examples at some positions of a data set that is the same everywhere."""
    generator = torch.Generator().manual_seed(7)
    words = torch.randint(1, WORDS, (EXAMPLES, 6), generator=generator)[positions]
    rows, tokens = words.shape
    row = torch.arange(rows)
    nodes = row.repeat_interleave(2)
    zeros = torch.zeros(2 * rows, dtype=torch.long)
    edge_index = torch.stack([2 * row, 2 * row + 1]).repeat(1, edges)
    edge = torch.zeros(edge_index.shape[1], dtype=torch.long)
    link = torch.stack([torch.arange(2 * rows), nodes * tokens + torch.tensor([0, 3]).repeat(rows)])
    target = (words[:, 0] < words[:, 3]).long() + (words[:, 0] == words[:, 3]).long() * 2
    return GraphBatch(
        input_ids=words,
        token_mask=torch.ones(rows, tokens, dtype=torch.bool),
        token_text=torch.zeros(rows, tokens, dtype=torch.long),
        group=row,
        node_graph=nodes,
        node_type=zeros,
        node_text=zeros,
        node_pos=zeros,
        node_entity=zeros - 1,
        node_score=torch.ones(2 * rows),
        edge_index=edge_index,
        edge_kind=edge,
        edge_type=edge,
        edge_relation=edge,
        edge_score=torch.ones(len(edge)),
        link_index=link,
        pair_index=torch.zeros(2, 0, dtype=torch.long),
        pair_type=torch.zeros(0, dtype=torch.long),
        example=positions,
        target=torch.stack([row, target]),
    )


class ToyLoader:
    """Every `world`-th batch of an order that the epoch fixes. Nothing is repeated, so processes may differ by one."""

    def __init__(
        self, size: int, shuffle: bool, rank: int = 0, world: int = 1, pause: float = 0, fail: int = 0
    ) -> None:
        self.size, self.shuffle, self.rank, self.world, self.pause = size, shuffle, rank, world, pause
        self.epoch, self.start, self.left = 0, 0, fail or 10**9

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        self.epoch, self.start = epoch, start

    def __len__(self) -> int:
        return len(self.batches())

    def batches(self) -> list[Tensor]:
        generator = torch.Generator().manual_seed(100 + self.epoch)
        order = torch.randperm(EXAMPLES, generator=generator) if self.shuffle else torch.arange(EXAMPLES)
        return list(order.split(self.size))[self.rank :: self.world]

    def __iter__(self) -> Iterator[GraphBatch]:
        for positions in self.batches()[self.start :]:
            time.sleep(self.pause)
            self.left -= 1
            if not self.left:
                raise SystemExit("Stopped, as asked by --fail.")
            yield toy_batch(positions)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--save-every", type=float, default=0.0)
    parser.add_argument("--fail", type=int, default=0, help="stop before this batch, counted over all epochs")
    told = parser.parse_args()
    torch.set_num_threads(1)  # the matrices are tiny
    processes = join_processes()
    settings = TrainSettings(
        epochs=told.epochs,
        accumulate=told.accumulate,
        lr={"language": 1e-2, "other": 2e-2},
        patience=0,
        precision="fp32",
        save_every=told.save_every,
        tensorboard=False,
    )

    def report(progress: Progress) -> None:
        sys.stdout.write(json.dumps({"kind": progress.kind, "step": progress.step, "loss": progress.loss}) + "\n")
        sys.stdout.flush()

    rank, world = processes.rank, processes.world
    train = ToyLoader(told.batch, True, rank, world, told.pause, told.fail)
    dev = ToyLoader(told.batch, False, rank, world)
    fit(toy_reasoner(told.dropout), train, dev, settings, told.folder, seed=5, report=report)
    if world > 1:
        leave_processes(0)


if __name__ == "__main__":
    main()
