"""Where a run is strong and weak: the score on parts of a test."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from kgreason.audit.intervals import rate_of
from kgreason.audit.parts import Slice
from kgreason.audit.subject import Answers, Row
from kgreason.data import Example
from kgreason.statistics import holm
from kgreason.tasks import Split
from kgreason.tasks.metrics import kinds_of

#: Smaller slices say nothing.
_LEAST = 20
_WORD = re.compile(r"\w+")


def slices(test: str, split: Split, rows: Sequence[Row]) -> tuple[Slice, ...]:
    """Return the score on each part of a test: by what its data set says, by its right answer, and by its text.

    Args:
        test: What the test is called.
        split: Its examples.
        rows: Of `predictions.jsonl`, in the order of the examples.
    """
    right = Answers.of(rows).right
    parts = {key: mine for key, mine in _parts(split, rows).items() if _LEAST <= mine.sum() <= len(right) - 1}
    p = holm([_fisher(right, mine) for mine in parts.values()])
    return tuple(
        Slice(test, kind, name, rate_of(right[mine]), bool(value < 0.05))
        for ((kind, name), mine), value in zip(parts.items(), p, strict=True)
    )


def _parts(split: Split, rows: Sequence[Row]) -> Mapping[tuple[str, str], Bool[ndarray, " items"]]:
    examples = split.examples
    parts = dict(kinds_of(examples, split.category))
    if "gold_id" in rows[0] and examples[0].roles[0] != "question":  # the place of a choice is no kind of question
        gold = np.array([str(row["gold"]) for row in rows])
        parts |= {("right label", name): gold == name for name in sorted(set(gold.tolist()))}
    parts |= _thirds("words", np.array([len(_WORD.findall(" ".join(e.texts))) for e in examples]))
    parts |= _operators(rows)
    for kind in ("linked", "facts"):
        many = np.array([int(row.get(kind, 0)) for row in rows])
        parts |= {(kind, name): mine for name, mine in _counts(many).items()} if many.any() else {}
    if examples[0].roles[:2] == ("premise", "hypothesis"):
        parts |= _thirds("share of the hypothesis in the premise", np.array([_overlap(e) for e in examples]))
    if isinstance(examples[0].target, frozenset):
        many = np.array([len(e.target) if isinstance(e.target, frozenset) else 0 for e in examples])
        parts |= {("right answers", name): mine for name, mine in _counts(many).items()}
    return parts


def _operators(rows: Sequence[Row]) -> dict[tuple[str, str], Bool[ndarray, " items"]]:
    """Cut by the quantifiers, negations and modals that stand in the texts, where the rows say (`features`)."""
    has = [frozenset(row.get("operators", ())) for row in rows]
    names = sorted(frozenset().union(*has))
    parts = {("operator", name): np.array([name in of for of in has], bool) for name in names}
    return parts | ({("operator", "none"): np.array([not of for of in has], bool)} if names else {})


def _counts(many: ndarray) -> dict[str, Bool[ndarray, " items"]]:
    return {"none": many == 0, "1": many == 1, "2 to 5": (many > 1) & (many < 6), "more": many > 5}


def _thirds(kind: str, values: ndarray) -> dict[tuple[str, str], Bool[ndarray, " items"]]:
    """Cut into three parts of like size; of equal values, all fall into one."""
    low, high = np.quantile(values, [1 / 3, 2 / 3], method="nearest")
    cut = {f"to {low:g}": values <= low, f"to {high:g}": (values > low) & (values <= high)}
    cut[f"above {high:g}"] = values > high
    return {(kind, name): mine for name, mine in cut.items() if mine.any()}


def _overlap(example: Example) -> float:
    premise, hypothesis = (set(_WORD.findall(text.casefold())) for text in example.texts[:2])
    return round(len(premise & hypothesis) / max(1, len(hypothesis)), 2)


def _fisher(right: ndarray, mine: ndarray) -> float:
    from scipy.stats import fisher_exact

    table = [[int((right & m).sum()), int((~right & m).sum())] for m in (mine, ~mine)]
    return float(fisher_exact(table).pvalue)
