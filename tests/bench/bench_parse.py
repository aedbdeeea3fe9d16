"""How fast the dependency parser is, and what it costs beside one forward pass of the language model.

Run: KGREASON_DATA=… OMP_NUM_THREADS=1 python tests/bench/bench_parse.py
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from kgreason.data import Example
from kgreason.parse import DependencyParser
from kgreason.parse.biaffine import spell
from kgreason.parse.split import split
from kgreason.parse.tokenise import Tokeniser
from kgreason.parse.tree import best_trees
from kgreason.places import data_folder
from kgreason.pretrained import load_model, load_tokenizer
from kgreason.runtime import tune

PAIRS, ROUNDS = 192, 3


def best_of(work: Callable[[], object]) -> float:
    """Return the shortest of a few runs, in seconds: what the machine can do when nobody disturbs it."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times[1:])


def pairs() -> list[Example]:
    folder: Path = data_folder() / "snli"
    premises, hypotheses = ((folder / f"{name}.dev").read_text("utf-8").splitlines()[:PAIRS] for name in ("s1", "s2"))
    return [
        Example(f"e{i}", (p, h), ("premise", "hypothesis"))
        for i, (p, h) in enumerate(zip(premises, hypotheses, strict=True))
    ]


def forward(examples: list[Example], precision: torch.dtype | None) -> Callable[[], object]:
    """Return one forward pass of the language model over the pairs, in batches of 32 sorted by length."""
    model, tokenizer = load_model("minilm"), load_tokenizer("minilm")
    rows = sorted((tokenizer.encode(*e.texts).ids for e in examples), key=len)
    batches = [rows[i : i + 32] for i in range(0, len(rows), 32)]

    def work() -> None:
        with torch.inference_mode(), torch.autocast("cpu", precision or torch.bfloat16, enabled=precision is not None):
            for batch in batches:
                longest = max(map(len, batch))
                ids = torch.tensor([row + [0] * (longest - len(row)) for row in batch])
                model(input_ids=ids, attention_mask=(ids > 0).long())

    return work


def head_only(parser: DependencyParser, sentences: list[tuple[str, ...]]) -> Callable[[], object]:
    """Return the head's own work on sentences whose states are known: scores, trees, relations."""
    neural = parser.neural
    batches = []
    with torch.inference_mode():
        ordered = sorted(sentences, key=len)
        for i in range(0, len(ordered), 64):
            batch = ordered[i : i + 64]
            lengths = torch.tensor([len(words) + 1 for words in batch])
            mask = torch.arange(int(lengths.max())) < lengths[:, None]
            batches.append((neural.states.mixed(batch, neural.head.weights()), spell(batch), mask, lengths))

    def work() -> None:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=neural.half is not None):
            for states, spelled, mask, lengths in batches:
                parse = neural.head(states, spelled, mask)
                trees = torch.from_numpy(best_trees(parse.arc.numpy(), lengths.numpy()))
                neural.head.relations(parse, trees).argmax(-1)

    return work


def main() -> None:
    """Print words per second of each part, and ratios to one forward pass on the same pairs."""
    tune()
    examples = pairs()
    texts = list(dict.fromkeys(text for e in examples for text in e.texts))
    parser = DependencyParser()
    sentences = [s.words for found in parser.parse_texts(texts).values() for s in found]
    words = sum(map(len, sentences))
    in_pairs = sum(g.num_nodes for g in parser(examples))

    def cut() -> None:
        tokenise = Tokeniser()
        for text in texts:
            split(text, tokenise(text))

    sys.stdout.write(
        f"{len(examples)} pairs, {in_pairs} words, {words} in distinct texts; {torch.get_num_threads()} threads\n"
    )
    parts = {
        "words and sentences": cut,
        "head alone": head_only(parser, sentences),
        "end to end": lambda: parser(examples),
    }
    seconds = {name: best_of(work) for name, work in parts.items()}
    for name, value in seconds.items():
        sys.stdout.write(f"{name:24} {value * 1000:8.1f} ms {words / value:10.0f} words/s\n")
    for name, precision in (("float32", None), ("bfloat16", torch.bfloat16)):
        lm = best_of(forward(examples, precision))
        sys.stdout.write(f"LM forward, {name:12} {lm * 1000:8.1f} ms  parse/LM {seconds['end to end'] / lm:.2f}\n")


if __name__ == "__main__":
    main()
