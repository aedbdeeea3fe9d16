"""Makes `lexical-nli`, our data set of pairs that differ by what WordNet knows.

Every hypothesis stands with three premises, one for each label, so the hypothesis alone says nothing.
Also without the command line: `python -m kgreason.tasks.frames FOLDER [SEED]`.
"""

import json
import random
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgreason.knowledge import open_graph
from kgreason.places import shipped
from kgreason.tasks.frames_lexicon import read_category
from kgreason.tasks.frames_pairs import Frame, Pair, Reading, read_frame
from kgreason.whole import write_whole

#: Hypotheses of each split; each gives three pairs.
SIZES = {"train": 2000, "dev": 270, "test": 540}
#: How often a sentence is affirmative, negated, or stands after "It is not true that" (-1).
WEIGHTS = {0: 1.0, 1: 1.0, -1: 0.4}
#: How often exactly one sentence should have a negation, where there is a choice.
ONE_SIDED = {"entailment": 0.5, "neutral": 0.5, "contradiction": 0.35}
#: How often a pair may do without an exchanged word, beside 1 for an exchange.
RARER = {"same": 0.2, "modifier_dropped": 0.5, "modifier_added": 0.5}
#: How many premises are tried for a hypothesis; frames with two slots have thousands.
MOST_PREMISES = 240
LABELS = ("entailment", "neutral", "contradiction")


def build_lexical_nli(out: Path, seed: int = 0) -> dict[str, int]:
    """Write `train.jsonl`, `dev.jsonl` and `test.jsonl` from the frames and words in `datasets/lexical-nli`.

    The same seed gives the same bytes.

    Args:
        out: The folder to write to; made if it is missing.
        seed: Of the choice of hypotheses and premises.

    Returns:
        The number of pairs of each split.

    Raises:
        DataError: If a frame or a word is wrong.
    """
    frames = read_frames(shipped("datasets") / "lexical-nli")
    counts = {}
    out.mkdir(parents=True, exist_ok=True)
    for split, size in SIZES.items():
        rng = random.Random(f"{seed} {split}")
        rows = list(_rows([frame for frame in frames if frame.split == split], size, rng))
        rng.shuffle(rows)
        write_split(out / f"{split}.jsonl", f"lexical-{split}", rows, escape=True)
        counts[split] = len(rows)
    return counts


def read_frames(folder: Path) -> list[Frame]:
    """Read `frames.toml` and `lexicon.toml`, and look the words up in WordNet.

    Raises:
        DataError: If a frame or a word is wrong.
    """
    tables = tomllib.loads((folder / "frames.toml").read_text("utf-8"))
    words = tomllib.loads((folder / "lexicon.toml").read_text("utf-8"))
    knowledge = open_graph("wordnet")
    frames = []
    for split in SIZES:
        lexicon = {name: read_category(name, table, knowledge) for name, table in words[split].items()}
        frames += [read_frame(name, split, table, tables["operator"], lexicon) for name, table in tables[split].items()]
    return frames


def _rows(frames: Sequence[Frame], size: int, rng: random.Random) -> Iterator[dict[str, str]]:
    """Yield `size` hypotheses with three premises each, frame by frame in turn until they are enough."""
    queues = [(frame, _triples(frame, rng)) for frame in frames]
    taken = 0
    while taken < size and queues:
        still = []
        for frame, queue in queues[: size - taken]:
            triple = next(queue, None)
            if triple:
                yield from (_row(frame, pair) for pair in triple)
                taken += 1
                still.append((frame, queue))
        queues = still


def _row(frame: Frame, pair: Pair) -> dict[str, str]:
    return {
        "premise": frame.say(pair.premise),
        "hypothesis": frame.say(pair.hypothesis),
        "label": pair.label,
        "phenomenon": frame.phenomenon,
        "relation": pair.relation,
        "negated": f"{_negations(pair.premise)}-{_negations(pair.hypothesis)}",
        "frame": frame.name,
    }


def _negations(reading: Reading) -> int:
    return reading.negated + reading.denied


def _by_turns(readings: list[Reading], rng: random.Random) -> list[Reading]:
    """Return the readings in random order, with the kinds mixed as `WEIGHTS` says."""
    shuffled = rng.sample(readings, len(readings))
    place: dict[int, float] = defaultdict(float)
    order = {}
    for reading in shuffled:
        kind = -1 if reading.denied else _negations(reading)
        place[kind] += 1 / WEIGHTS[kind]
        order[reading] = (place[kind], kind)
    return sorted(shuffled, key=order.__getitem__)


def _triples(frame: Frame, rng: random.Random) -> Iterator[list[Pair]]:
    """Yield, for every hypothesis that can stand with all three labels, one pair for each."""
    readings = list(frame.readings())
    for hypothesis in _by_turns(readings, rng):
        found: dict[str, list[Pair]] = {name: [] for name in LABELS}
        for premise in rng.sample(readings, min(len(readings), MOST_PREMISES)):
            pair = frame.compare(premise, hypothesis) if premise != hypothesis else None
            if pair:
                found[pair.label].append(pair)
        if all(found.values()):
            yield [_choose(name, found[name], rng) for name in LABELS]


def _choose(name: str, pairs: Sequence[Pair], rng: random.Random) -> Pair:
    """Choose a premise: first whether just one sentence has a negation, then the kind, the relation and the words.

    Most contradictions have one negation more in one sentence and most entailments do not, so the rare kind goes first:
    then a negation alone says little about the label.
    """
    one_sided = [pair for pair in pairs if bool(_negations(pair.premise)) != bool(_negations(pair.hypothesis))]
    others = [pair for pair in pairs if bool(_negations(pair.premise)) == bool(_negations(pair.hypothesis))]
    wanted = one_sided if rng.random() < ONE_SIDED[name] else others
    wanted = wanted or one_sided or others
    kinds: dict[int, dict[str, list[Pair]]] = {}
    for pair in wanted:
        kind = -1 if pair.premise.denied else _negations(pair.premise)
        kinds.setdefault(kind, {}).setdefault(pair.relation, []).append(pair)
    known = sorted(kinds)
    chosen = kinds[rng.choices(known, [WEIGHTS[kind] for kind in known])[0]]
    relations = sorted(chosen)
    return rng.choice(chosen[rng.choices(relations, [RARER.get(name, 1.0) for name in relations])[0]])


def write_split(path: Path, prefix: str, rows: Sequence[Mapping[str, Any]], escape: bool = False) -> None:
    """Write a split at once, one JSON object a line, each with a uid: the prefix and its number.

    With `escape`, letters beyond ASCII are written as JSON escapes.
    """
    lines = [json.dumps({"uid": f"{prefix}-{i:05d}", **row}, ensure_ascii=escape) for i, row in enumerate(rows)]
    write_whole(path, ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    counts = build_lexical_nli(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    sys.stdout.write(f"{counts}\n")
