"""How well seeds are linked from the text of MetaQA and PathQuestion, and how fast: one core, CPU time.

    python tests/bench/bench_link.py [--split test] [--most 39093] [--dense 2000] [--set metaqa]

Gold: MetaQA's brackets, taken out of the question; PathQuestion's first entity of the gold path. Every text is also
asked with one random edit in the mention (a letter added, left out, replaced, or changed with its neighbour) and in
lower case. Everything was tuned on MetaQA's dev questions; `--split dev` shows them.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kgreason.data import Example, KnowledgeGraph
from kgreason.ground import SeedsGrounder
from kgreason.ground.recall import link_recall
from kgreason.knowledge.triples import TriplesSource
from kgreason.parse import SurfaceParser
from kgreason.places import data_folder


def metaqa(folder: Path, split: str) -> tuple[KnowledgeGraph, list[Example]]:
    asked = []
    for hops in (1, 2, 3):
        for i, line in enumerate((folder / f"{hops}-hop_{split}.txt").read_text(encoding="utf-8").splitlines()):
            question = line.split("\t")[0]
            a, b = question.index("["), question.rindex("]")
            text = question[:a] + question[a + 1 : b] + question[b + 1 :]
            asked.append(example(f"{hops}-{i}", text, question[a + 1 : b], a))
    return TriplesSource(str(folder / "graph.tsv"))(), asked


def pathquestion(folder: Path, hops: int) -> tuple[KnowledgeGraph, list[Example]]:
    asked = []
    for i, line in enumerate((folder / f"PQ-{hops}H.txt").read_text(encoding="utf-8").splitlines()):
        question, _, path = line.split("\t")[:3]
        seed = path.split("#")[0]
        asked.append(example(str(i), question, seed, question.find(seed)))
    return TriplesSource(str(folder / f"{hops}H-kb.txt"), form="tsv")(), asked


def example(uid: str, text: str, seed: str, start: int) -> Example:
    mentions = ((0, start, start + len(seed)),) if start >= 0 else ()
    return Example(uid, (text,), ("question",), None, (seed,), mentions)


def misspelt(given: Example, rng: random.Random) -> Example:
    if not given.mentions:
        return given
    _, a, b = given.mentions[0]
    text = given.texts[0]
    return Example(given.uid, (text[:a] + edit(text[a:b], rng) + text[b:],), given.roles, None, given.seeds)


def edit(word: str, rng: random.Random) -> str:
    at, letter = rng.randrange(len(word)), chr(97 + rng.randrange(26))
    ways = (
        word[:at] + word[at + 1 :] if len(word) > 1 else word + letter,
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    )
    return ways[rng.randrange(len(ways))]


def lower(given: Example) -> Example:
    return Example(given.uid, (given.texts[0].lower(),), given.roles, None, given.seeds)


def show(name: str, knowledge: KnowledgeGraph, asked: Sequence[Example], link: str) -> None:
    ground = SeedsGrounder(link, given="ignore")
    start = time.process_time()
    ground(SurfaceParser()(asked[:1]), knowledge)
    ready = time.process_time() - start
    start = time.process_time()
    graphs = SurfaceParser()(asked)
    parsed = time.process_time()
    grounded = ground(graphs, knowledge)
    done = time.process_time()
    r = link_recall(grounded, knowledge)
    sys.stdout.write(
        f"{name:28} {link:6} n={r.questions:<6} known {100 * r.known:6.2f}  first {100 * r.first:6.2f}  found "
        f"{100 * r.found:6.2f}  precision {100 * r.precision:6.2f}  nothing {100 * r.nothing:5.2f}  "
        f"{len(asked) / (done - parsed):7.0f}/s (with parse {len(asked) / (done - start):6.0f}/s)  "
        f"ready {ready:.1f} s\n"
    )
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--split", default="test")
    options.add_argument("--most", type=int, default=100_000)
    options.add_argument("--dense", type=int, default=0, help="how many questions to link by meaning; slow")
    options.add_argument("--set", default="all", choices=["all", "metaqa", "pathquestion"])
    args = options.parse_args()
    rng = random.Random(0)
    sets = {}
    if args.set != "pathquestion":
        sets["metaqa " + args.split] = metaqa(data_folder() / "metaqa", args.split)
    if args.set != "metaqa":
        sets |= {f"PQ-{hops}H": pathquestion(data_folder() / "pathquestion", hops) for hops in (2, 3)}
    for name, (knowledge, every) in sets.items():
        asked = rng.sample(every, min(args.most, len(every)))
        typos = [misspelt(e, rng) for e in asked]
        for link in ("exact", "fuzzy", "auto"):
            show(name, knowledge, asked, link)
        show(f"{name} lower case", knowledge, [lower(e) for e in asked], "exact")
        for link in ("exact", "fuzzy", "auto"):
            show(f"{name} one edit", knowledge, typos, link)
        if args.dense:
            show(name, knowledge, asked[: args.dense], "dense")
            show(f"{name} one edit", knowledge, typos[: args.dense], "dense")


if __name__ == "__main__":
    main()
