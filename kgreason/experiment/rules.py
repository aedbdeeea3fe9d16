"""Reads off a trained reasoner which two relations in a row it takes to come to a third."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np

from kgreason.errors import ConfigError
from kgreason.explain.derivations import symbol_names
from kgreason.pipeline import Pipeline
from kgreason.tasks.compositions import Compositions


@final
@dataclass(frozen=True, slots=True)
class LearnedRule:
    """Of x's `first`, the `second` is x's `result`.

    Args:
        first, second, result: Names of relations.
        confidence: Its share among all that the two come to, in [0, 1]; nothing known is left out.
        weight: What the table has for it, beside nothing known: how much the rule is trusted over other ways.
        verdict: What a table that somebody wrote says of it: `right`, `wrong` (it has other results for the pair), or
            `unlisted` (it has none); empty if none was asked.
    """

    first: str
    second: str
    result: str
    confidence: float
    verdict: str = ""
    weight: float = 0.0

    def __str__(self) -> str:
        return f"{self.second} ∘ {self.first} → {self.result}"


def rules(
    run: str | Path | Pipeline, least: float = 0.5, against: Compositions | None = None
) -> tuple[LearnedRule, ...]:
    """Return the compositions that a trained reasoner knows, the surest first.

    Args:
        run: The folder of a run, or a pipeline made of one.
        least: The least confidence of what is returned. A pair of relations that training never met stays even, near 0.
        against: A table to check them with (`kgreason.tasks.compositions.read_compositions("kinship")`).

    Raises:
        ConfigError: If its decoder composes no relations.
        StoreError: If the folder is not that of a run.

    `str(rule)` is written as functions are composed, the later one first: `brother ∘ father → uncle` says that the
    brother of the father is an uncle.
    """
    if not isinstance(run, Pipeline):
        from kgreason.experiment.restore import load

        run = load(run)
    decode = run.reasoner.decode
    table, latent = getattr(decode, "table", None), getattr(decode, "latent", 0)
    if table is None:
        raise ConfigError(
            f"The run's decoder, {type(decode).__name__}, composes no relations, so there are no rules to read. "
            "Train one with: [decode] name = 'compose'."
        )
    weight = table.detach().cpu().numpy()
    sure = weight / weight.sum(-1, keepdims=True).clip(1e-12)
    names = symbol_names(run.knowledge, len(sure), len(sure) - latent)
    found = [
        LearnedRule(names[p], names[q], names[r], float(sure[p, q, r]), weight=float(weight[p, q, r]))
        for p, q, r in np.argwhere(sure >= least)
    ]
    found.sort(key=lambda rule: (-rule.confidence, rule.first, rule.second, rule.result))
    return tuple(found if against is None else (_judged(rule, against) for rule in found))


def missing(found: tuple[LearnedRule, ...], table: Compositions) -> list[tuple[str, str]]:
    """Return the pairs of a table that no rule speaks of."""
    spoken = {(rule.first, rule.second) for rule in found}
    return [pair for pair in table.results if pair not in spoken]


def _judged(rule: LearnedRule, table: Compositions) -> LearnedRule:
    if (rule.first, rule.second) not in table.results:
        verdict = "unlisted"
    else:
        verdict = "right" if table.allows(rule.first, rule.second, rule.result) else "wrong"
    return replace(rule, verdict=verdict)
