"""How much of lexical-nli can be had without reading both sentences: the table in datasets/README.md.

python tests/bench/bench_dataset_bias.py
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

FOLDER = Path(__file__).parents[2] / "datasets" / "lexical-nli"
NEGATIONS = set("no not never nobody none cannot without few refused forgot failed too fewer".split())  # noqa: SIM905


def overlap(row: dict[str, str]) -> dict[str, float]:
    """Count shared, new and lost words, the lengths, and which sentence has a negation."""
    premise, hypothesis = (re.findall(r"\w+", row[text].lower()) for text in ("premise", "hypothesis"))
    a, b = set(premise), set(hypothesis)
    return {
        "jaccard": len(a & b) / len(a | b),
        "longer": len(premise) - len(hypothesis),
        "contained": float(b <= a),
        "contains": float(a <= b),
        "new": len(b - a),
        "lost": len(a - b),
        "premise negated": float(bool(a & NEGATIONS)),
        "hypothesis negated": float(bool(b & NEGATIONS)),
        "one negated": float(bool(a & NEGATIONS) != bool(b & NEGATIONS)),
    }


def main() -> None:
    splits = {}
    for split in ("train", "dev", "test"):
        lines = (FOLDER / f"{split}.jsonl").read_text("utf-8").splitlines()
        splits[split] = [json.loads(line) for line in lines]

    def report(name: str, view: Callable[[dict[str, str]], Any], vectors: Any, model: Any) -> None:
        pipeline = make_pipeline(vectors, model)
        pipeline.fit([view(row) for row in splits["train"]], [row["label"] for row in splits["train"]])
        scores = {
            split: pipeline.score([view(row) for row in rows], [row["label"] for row in rows])
            for split, rows in splits.items()
        }
        print(f"{name:42} " + "  ".join(f"{split} {100 * score:.1f}" for split, score in scores.items()))  # noqa: T201

    def words() -> CountVectorizer:
        return CountVectorizer(ngram_range=(1, 2))

    report(
        "hypothesis alone, words and word pairs",
        lambda row: row["hypothesis"],
        words(),
        LogisticRegression(max_iter=2000),
    )
    report(
        "premise alone, words and word pairs", lambda row: row["premise"], words(), LogisticRegression(max_iter=2000)
    )
    report("overlap and negation counts, linear", overlap, DictVectorizer(), LogisticRegression(max_iter=2000))
    boosted = GradientBoostingClassifier(random_state=0)
    report("overlap and negation counts, boosted trees", overlap, DictVectorizer(sparse=False), boosted)


if __name__ == "__main__":
    main()
