# ruff: noqa: T201 - a script
"""What a run of NLI comes to per class and category, with and without the tenth of each set whose errors were read.

    python tests/bench/bench_natural_logic.py RUN [TEST …]

Breaking NLI, MoNLI and HELP have no development part. Of each the pairs whose premise falls into one tenth by its hash
were set aside to read errors in (`--read` prints them); nobody looked at the others. So the second line of each test is
the number to go by.
"""

import argparse
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.restore import read_config
from kgreason.tasks import TASKS

LABELS = ("entailment", "neutral", "contradiction")


def in_the_read_tenth(premise: str) -> bool:
    return int(hashlib.sha256(premise.encode()).hexdigest(), 16) % 10 == 0


def told(rows: Sequence[dict[str, Any]]) -> str:
    """Accuracy, macro-F1 over the labels that occur, and recall of each."""
    table = np.zeros((3, 3))
    for row in rows:
        table[row["gold_id"], row["answer_id"]] += 1
    there = table.sum(1) > 0
    recall = np.diag(table) / np.maximum(table.sum(1), 1)
    precision = np.diag(table) / np.maximum(table.sum(0), 1)
    f1 = 2 * recall * precision / np.maximum(recall + precision, 1e-9)
    each = "  ".join(f"{name} {100 * r:5.1f}" for name, r, t in zip("ENC", recall, there, strict=True) if t)
    accuracy = 100 * np.trace(table) / max(table.sum(), 1)
    return f"{len(rows):6}  accuracy {accuracy:5.1f}  macro-F1 {100 * f1[there].mean():5.1f}  recall {each}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("tests", nargs="*")
    parser.add_argument("--read", action="store_true", help="print the errors of the tenth")
    given = parser.parse_args()
    config: ExperimentConfig = read_config(given.run)
    task = TASKS.build(dict(config.task))
    texts = {e.uid: e.texts for split in task.splits().test.values() for e in split.examples}
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in (given.run / "predictions.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        rows[row["test"]].append(row)
    for test in given.tests or rows:
        kept = [row for row in rows[test] if not in_the_read_tenth(texts[row["uid"]][0])]
        print(f"{test}\n  all        {told(rows[test])}\n  not read   {told(kept)}")
        kinds = sorted({row.get("category", "") for row in kept} - {""})
        for kind in kinds if len(kinds) > 1 else ():
            mine = [row["right"] for row in kept if row.get("category") == kind]
            print(f"    {kind:24} {len(mine):6}  {100 * np.mean(mine):5.1f}")
        for row in rows[test] if given.read else ():
            if not row["right"] and in_the_read_tenth(texts[row["uid"]][0]):
                print(f"    {row['gold']} → {row['answer']}  {' / '.join(texts[row['uid']])}")


if __name__ == "__main__":
    main()
