"""What parse, ground and collate cost together, beside one forward pass of the language model on the same pairs.

Run: KGREASON_DATA=… OMP_NUM_THREADS=1 python tests/bench/bench_front.py
"""

import sys
import time
from collections.abc import Callable

import torch

from kgreason.collate import Collate
from kgreason.data import EdgeType, Example
from kgreason.encode import PretrainedLanguage
from kgreason.ground import AlignGrounder
from kgreason.knowledge import open_graph
from kgreason.parse import DependencyParser
from kgreason.places import data_folder
from kgreason.runtime import tune

PAIRS, ROUNDS, BATCH = 384, 3, 32


def best_of(work: Callable[[], object]) -> float:
    """Return the shortest processor time of a few runs, in milliseconds a pair; the first run warms up."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times[1:]) / PAIRS


def pairs() -> list[Example]:
    """Pairs of SNLI's dev split with different premises, so that no text is parsed once for several pairs."""
    folder = data_folder() / "snli"
    premises, hypotheses = ((folder / f"{name}.dev").read_text("utf-8").splitlines() for name in ("s1", "s2"))
    distinct = {p: h for p, h in zip(premises, hypotheses, strict=True) if p.strip() and h.strip()}
    return [Example(f"e{i}", pair, ("premise", "hypothesis")) for i, pair in enumerate(list(distinct.items())[:PAIRS])]


def main() -> None:
    tune(1)
    examples, graph = pairs(), open_graph("wordnet")
    parse, ground = DependencyParser(), AlignGrounder()
    parsed = parse(examples)
    grounded = ground(parsed, graph)
    collate = Collate(num_relations={EdgeType.KNOWLEDGE: len(graph.relations)})
    order = sorted(range(len(examples)), key=lambda i: sum(map(len, examples[i].texts)))
    groups = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    batches = [collate([examples[i] for i in g], [grounded[i] for i in g]) for g in groups]
    cost = {
        "parse": best_of(lambda: parse(examples)),
        "ground (align)": best_of(lambda: ground(parsed, graph)),
        "collate": best_of(lambda: [collate([examples[i] for i in g], [grounded[i] for i in g]) for g in groups]),
    }
    for precision in ("float32", "bfloat16"):
        model = PretrainedLanguage(tune="full", precision=precision).eval()
        with torch.inference_mode():
            cost[f"LM forward, {precision}"] = best_of(lambda model=model: [model(b) for b in batches])
    together = sum(list(cost.values())[:3])
    for name, ms in [*cost.items(), ("parse + ground + collate", together)]:
        sys.stdout.write(f"{name:<28} {ms:7.2f} ms a pair\n")
    for precision in ("float32", "bfloat16"):
        share = together / cost[f"LM forward, {precision}"]
        sys.stdout.write(f"together / LM forward in {precision}: {share:.2f}\n")


if __name__ == "__main__":
    main()
