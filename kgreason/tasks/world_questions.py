"""Makes `world-qa`, our questions over the graph `world`: paths of one to three relations, worded and executed.

Also without the command line: `python -m kgreason.tasks.world_questions FOLDER [SEED]`.
"""

import random
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.errors import DataError
from kgreason.knowledge import open_graph
from kgreason.places import shipped
from kgreason.tasks.ceiling import execute
from kgreason.tasks.frames import write_split
from kgreason.tasks.world_wording import Frames, read_frames

#: Questions of each split.
SIZES = {"train": 4000, "dev": 500, "test": 1000, "test_wording": 1000}
#: Which wordings and which paths a split takes; the share of its questions that have an answer is `1 - sum(NONE)`.
WORDINGS = {"train": "train", "dev": "dev", "test": "test", "test_wording": "test"}
PATHS = {"train": ("train",), "dev": ("dev", "train"), "test": ("test",), "test_wording": ("train",)}
#: The share of questions without an answer, by why there is none.
NONE = {"kind": 0.05, "nothing": 0.03, "relation": 0.04}
#: Longer lists of answers are left out.
MOST_ANSWERS = 40
#: How often a seed is called by another name than the one that is shown.
ALIASES = 0.15
_RELATION = "urn:kgreason:world/relation/"


def build_world_qa(out: Path, seed: int = 0) -> dict[str, int]:
    """Write `train.jsonl`, `dev.jsonl`, `test.jsonl` and `test_wording.jsonl` from `datasets/world-qa/*.toml`.

    The same seed gives the same bytes.

    Args:
        out: The folder to write to; made if it is missing.
        seed: Of the choice of seeds and wordings.

    Returns:
        The number of questions of each split.

    Raises:
        DataError: If a frame or a path is wrong.
    """
    folder = shipped("datasets") / "world-qa"
    paths = tomllib.loads((folder / "paths.toml").read_text("utf-8"))
    world = World.of(open_graph("world"), read_frames(folder / "frames.toml"))
    out.mkdir(parents=True, exist_ok=True)
    counts, known = {}, set[str]()
    for split, size in SIZES.items():
        rng = random.Random(f"{seed} {split}")
        rows = list(_rows(world, paths, split, size, rng, known))
        rng.shuffle(rows)
        write_split(out / f"{split}.jsonl", f"world-{split}", rows)
        counts[split] = len(rows)
    return counts


Row = dict[str, Any]


@final
@dataclass(frozen=True, slots=True)
class World:
    """The graph, and how one talks about it.

    Args:
        graph: The graph `world`.
        frames: How its relations are worded.
        at: Relation to its heads, and with `^` to its tails.
        names: Everything that each entity is called.
        the: The entities that stand with "the" by their kind.
    """

    graph: KnowledgeGraph
    frames: Frames
    at: Mapping[str, Int[ndarray, " found"]]
    names: Sequence[Sequence[str]]
    the: frozenset[int]

    @classmethod
    def of(cls, graph: KnowledgeGraph, frames: Frames) -> "World":
        """Look up in the graph what is asked for again and again."""
        triples, labels = graph.triples, graph.labels
        at: dict[str, Int[ndarray, " found"]] = {}
        for i, name in enumerate(graph.relations):
            facts = triples[triples[:, 1] == i]
            at[name.removeprefix(_RELATION)] = np.unique(facts[:, 0])
            at["^" + name.removeprefix(_RELATION)] = np.unique(facts[:, 2])
        names: list[list[str]] = [[] for _ in range(len(graph.entities))]
        for i, name in enumerate(labels.names):
            for entity in labels.entity[labels.ptr[i] : labels.ptr[i + 1]].tolist():
                names[entity].append(name)
        kinds = (*frames.heads_of, *(f"^{name}" for name in frames.tails_of))
        return cls(graph, frames, at, names, frozenset(int(e) for kind in kinds for e in at[kind]))

    def ends(self, step: str) -> Int[ndarray, " found"]:
        """Return the heads of a relation, or with `^` its tails.

        Raises:
            DataError: If there is no such relation.
        """
        if step not in self.at:
            raise DataError(f"paths.toml: the graph has no relation '{step.removeprefix('^')}'.")
        return self.at[step]

    def follow(self, seeds: Int[ndarray, " seeds"], path: Sequence[str]) -> list[list[int]]:
        """Return where `path` leads from each seed."""
        row, entity = execute(self.graph, [np.array([s]) for s in seeds], _full(path))
        cuts = np.searchsorted(row, np.arange(1, len(seeds)))
        return [part.tolist() for part in np.split(entity, cuts)]

    def row(self, seed: int, frame: str, kind: str, split: str, rng: random.Random) -> Row:
        """Return a question without its answers: text, hops and type."""
        frames = self.frames
        names = self.aliases(seed) if rng.random() < ALIASES else []
        marked = frames.mark(rng.choice(names) if names else self.graph.label(seed), seed in self.the)
        question = frames.say(frame, marked, rng.choice(frames.opening[WORDINGS[split]]))
        return {"question": question, "answers": [], "hops": kind.count(" > ") + 1, "type": kind, "frame": frame}

    def aliases(self, entity: int) -> list[str]:
        """Return the other names of an entity that mean nothing else and do not begin with "the"."""
        return [
            name
            for name in self.names[entity]
            if name != self.graph.label(entity)
            and len(self.graph.labels.senses(name)[0]) == 1
            and not name.lower().startswith("the ")
        ]

    def tells(self, question: str, answers: Sequence[int]) -> bool:
        """Say whether a question names one of its answers, by whatever name."""
        text = question.casefold()
        return any(
            name.casefold() in text and re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", text)
            for answer in answers
            for name in self.names[answer]
        )


def _rows(
    world: World, paths: Mapping[str, Any], split: str, size: int, rng: random.Random, known: set[str]
) -> Iterator[Row]:
    """Yield the questions of a split; what is in `known` is not asked again."""
    none = {kind: round(share * size) for kind, share in NONE.items()}
    makers = {
        "kind": _kinds(world, paths["unanswerable"], split, rng),
        "nothing": _nothing(world, paths, split, rng),
        "relation": _relations(world, paths["unanswerable"], split, rng),
    }
    for kind, maker in makers.items():
        yield from _take(maker, none[kind], known)
    groups = [paths[name] for name in PATHS[split]]
    left = size - sum(none.values())
    for i, group in enumerate(groups):
        share = left // len(groups) + (left % len(groups) if i == 0 else 0)
        queues = [_answered(world, path, split, rng) for path in group]
        yield from _take(_in_turn(queues, rng), share, known)


def _take(rows: Iterator[Row], size: int, known: set[str]) -> Iterator[Row]:
    """Yield up to `size` questions that were not asked before."""
    taken = 0
    while taken < size:
        row = next(rows, None)
        if row is None:
            raise DataError(f"paths.toml: only {taken} of {size} different questions could be made. Write more paths.")
        if row["question"] not in known:
            known.add(row["question"])
            taken += 1
            yield row


def _in_turn(queues: list[Iterator[Row]], rng: random.Random) -> Iterator[Row]:
    """Yield from each in turn, in a new order each time, until all are empty."""
    while queues:
        rng.shuffle(queues)
        found = [(queue, next(queue, None)) for queue in queues]
        queues = [queue for queue, row in found if row is not None]
        yield from (row for _, row in found if row is not None)


def _answered(world: World, written: str, split: str, rng: random.Random) -> Iterator[Row]:
    """Yield questions about one path, from every seed once before any comes again, four times."""
    path = written.split(" > ")
    seeds = world.ends(path[0])
    found = [(int(s), a) for s, a in zip(seeds, world.follow(seeds, path), strict=True) if 0 < len(a) <= MOST_ANSWERS]
    if not found:
        raise DataError(f"paths.toml: '{written}' leads nowhere.")
    for _ in range(4):
        for seed, answers in rng.sample(found, len(found)):
            row = world.row(seed, world.frames.frame(path, WORDINGS[split], rng), written, split, rng)
            if not world.tells(row["question"], answers):
                named = sorted(world.graph.label(answer) for answer in answers)
                yield row | {"answers": named, "path": list(_full(path))}


def _kinds(world: World, table: Mapping[str, Any], split: str, rng: random.Random) -> Iterator[Row]:
    """Yield questions about things of another kind."""
    while True:
        asked, about = rng.choice(table["kind"]).split(" | ")
        seed = rng.choice(world.ends(about).tolist())
        if seed in world.ends(asked):  # Mexico City is no country, but Singapore is
            continue
        yield world.row(seed, world.frames.frame([asked], WORDINGS[split], rng), "none/kind", split, rng)


def _nothing(world: World, paths: Mapping[str, Any], split: str, rng: random.Random) -> Iterator[Row]:
    """Yield questions about paths that lead nowhere, from things of the right kind."""
    mine = {path for name in PATHS[split] for path in paths[name]}
    table = paths["unanswerable"]
    found = []
    for written in (path for path in table["nothing"] if path in mine):
        path = written.split(" > ")
        # all countries have a capital, so these are what `borders` and `coast_on` may be asked about
        seeds = world.ends("capital") if path[0] in ("borders", "coast_on") else world.ends(path[0])
        reached = world.follow(seeds, path)
        found += [(int(s), path) for s, a in zip(seeds, reached, strict=True) if not a]
    found = [(seed, path) for seed, path in found if world.graph.label(seed) not in table["doubtful"]]
    while found:
        seed, path = rng.choice(found)
        row = world.row(seed, world.frames.frame(path, WORDINGS[split], rng), "none/nothing", split, rng)
        yield row | {"hops": len(path)}


def _relations(world: World, table: Mapping[str, Any], split: str, rng: random.Random) -> Iterator[Row]:
    """Yield questions about what the graph does not tell."""
    while True:
        frame, about = rng.choice(table["relation"][WORDINGS[split]]).split(" | ")
        yield world.row(rng.choice(world.ends(about).tolist()), frame, "none/relation", split, rng)


def _full(path: Sequence[str]) -> tuple[str, ...]:
    return tuple("^" * step.startswith("^") + _RELATION + step.removeprefix("^") for step in path)


if __name__ == "__main__":
    made = build_world_qa(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    sys.stdout.write(f"{made}\n")
