"""How well a run's reader reads stories: `python tests/bench/bench_reading.py RUN`.

For each test of the run the F1 of its edges, in percent: unordered pairs of people with the kind of kin (parent, child,
sibling …) that is likelier than one half, beside those that the stories are known to state.
"""

# ruff: noqa: T201

import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from kgreason.experiment.build import build_front
from kgreason.experiment.parsed import parse_once
from kgreason.experiment.reading import recall
from kgreason.experiment.restore import read_config
from kgreason.ground import KinshipGrounder
from kgreason.ground.kinwords import INVERSE, NAMES, RELATIONS

Fact = tuple[str, str, str]
_KINDS = tuple(INVERSE)
_KIND = [_KINDS.index(kin.kind) for kin in NAMES]


def stated(facts: Sequence[Fact]) -> set[Fact]:
    """Return facts without gender, each from the person whose name comes first."""
    found = set()
    for head, relation, tail in facts:
        kind = RELATIONS[relation].kind
        found.add((head, kind, tail) if head < tail else (tail, INVERSE[kind], head))
    return found


def believed(people: Sequence[str], sure: np.ndarray) -> set[Fact]:
    """Return what is likelier than one half, in the same form."""
    found = set()
    for head, tail in combinations(sorted(people), 2):
        kinds = np.bincount(_KIND, sure[people.index(head), people.index(tail)], len(_KINDS))
        if kinds.max() > 0.5:
            found.add((head, _KINDS[int(kinds.argmax())], tail))
    return found


def main(folder: str) -> None:
    """Print one line for each test."""
    config = read_config(folder)
    front = build_front(config)
    recall(front, Path(folder))
    if not isinstance(front.ground, KinshipGrounder):
        raise SystemExit(f"{folder} reads no stories: [ground] is not kinship.")
    for name, split in front.task.splits().test.items():
        graphs = parse_once(front.parse, config.parse, split.examples)
        right = told = known = 0
        for example, (people, sure) in zip(split.examples, front.ground.believe(graphs), strict=True):
            found, gold = believed(people, sure), stated(example.stated)
            right, told, known = right + len(found & gold), told + len(found), known + len(gold)
        print(f"{name:8} edge F1 {200 * right / max(1, told + known):.1f}  ({known} facts)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
