"""How fast proofs are: edits per second of the exact decoder, pairs per second from text to proof, one pair at a time.

Processor time of one thread, so that a busy machine changes little.
pytest does not collect this file; run it: `python tests/bench/bench_prove.py [PAIRS] [ROUNDS]`
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import kgreason as kr
from kgreason.collate import assemble
from kgreason.data import Example
from kgreason.decode import NaturalLogicDecoder
from kgreason.experiment.prove import Prover
from kgreason.runtime import tune

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.edited import Edit, edited_states

_PEOPLE = ["man", "woman", "boy", "girl", "farmer", "nurse", "soldier", "singer", "cook", "painter"]
_DEEDS = ["plays the piano", "rides a bike", "eats an apple", "reads a long letter", "walks the dog in the park"]
_OTHERS = ["plays an instrument", "rides a horse", "eats fruit", "writes a letter", "is not walking"]


def pairs(many: int) -> list[tuple[str, str]]:
    """Return pairs of sentences, no two the same."""
    found = [
        (f"A {size} {person} {deed} near the {place}.", f"{article} {other_person} {other}.")
        for place in ("lake", "school", "old church", "market", "station", "bridge")
        for size in ("tall", "young", "happy", "tired", "little")
        for person in _PEOPLE
        for other_person in ("person", "woman", "farmer")
        for article in ("A", "No", "Some")
        for deed, other in zip(_DEEDS, _OTHERS, strict=True)
    ]
    step = max(1, len(found) // many)
    return found[::step][:many]


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median processor time of a call, after one that is not timed."""
    work()
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return sorted(times)[len(times) // 2]


def bench_decoder(rounds: int) -> None:
    """Edits per second of the exact decoder, and of the learned one before training."""
    row = [
        Edit("substitute", "⊏", "upward", "no"),
        Edit("operator", "^"),
        *[Edit("delete", "⊏"), Edit("insert", "⊐")] * 3,
    ]
    states = edited_states([row] * 128, dim=8)
    many = len(states.batch.edit_graph)
    for name in ("given", "learned"):
        decoder = NaturalLogicDecoder(8, judge={"name": name}).eval()
        with torch.inference_mode():
            took = seconds(lambda decoder=decoder: decoder(states), rounds)
        tell(
            f"decoder, judge {name:8} {many / took:10,.0f} edits/s   ({1000 * took:.1f} ms for 128 rows of {len(row)})"
        )


def bench_rooms(prover: Prover, asked: Sequence[tuple[str, str]], rounds: int) -> None:
    """Pairs per second of each room, and of all together."""
    pipeline = prover.pipeline
    examples = [Example(str(i), texts, ("premise", "hypothesis")) for i, texts in enumerate(asked)]
    graphs = pipeline.parse(examples)
    grounded = pipeline.ground(graphs, pipeline.knowledge)
    prepared = pipeline.collate.prepare(examples, grounded)
    batch = assemble(prepared)

    def reason() -> None:
        with torch.inference_mode():
            pipeline.reasoner(batch)

    rooms: dict[str, Callable[[], object]] = {
        "parse": lambda: pipeline.parse(examples),
        "ground": lambda: pipeline.ground(graphs, pipeline.knowledge),
        "collate": lambda: pipeline.collate.prepare(examples, grounded),
        "prove": reason,
        "all, told": lambda: pipeline.predict(examples),
        "prover": lambda: prover.predict(examples),
    }
    edits = len(batch.edit_graph) / len(asked)
    tell(f"{len(asked)} pairs, {edits:.1f} edits each")
    for name, work in rooms.items():
        took = seconds(work, rounds)
        tell(f"{name:12} {len(asked) / took:10,.0f} pairs/s   ({1000 * took / len(asked):.2f} ms each)")


def bench_alone(prover: Prover, asked: Sequence[tuple[str, str]]) -> None:
    """Milliseconds of pairs that come one by one, none of them seen before."""
    times = []
    for pair in asked:
        begin = time.process_time()
        prover(*pair)
        times.append(1000 * (time.process_time() - begin))
    times.sort()
    tell(f"one by one: median {times[len(times) // 2]:.1f} ms, 95 % below {times[int(0.95 * len(times))]:.1f} ms")


def main(many: int, rounds: int) -> None:
    tune(1)
    bench_decoder(rounds)
    begin = time.process_time()
    prover = kr.prover()
    tell(f"prover opened in {time.process_time() - begin:.1f} s")
    asked = pairs(many + 100)
    bench_alone(prover, asked[many:])
    bench_rooms(prover, asked[:many], rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 256, int(sys.argv[2]) if sys.argv[2:] else 5)
