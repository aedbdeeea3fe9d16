"""Finds the counterparts of the units of a hypothesis among those of a premise."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64
from numpy import ndarray
from scipy.optimize import linear_sum_assignment

from kgreason.ground.roles import COMPATIBLE, Edge
from kgreason.ground.terms import Known
from kgreason.ground.trees import Unit
from kgreason.ground.words import LIGHT

_ROLE, _PLACE, _MAIN, _SENTENCE = 0.45, 0.06, 0.05, 0.04
_ENOUGH: Final = 0.62
_ROUNDS: Final = 2
_ALONG, _LEAST = 0.5, 0.3  # what it adds that the texts run alongside each other, and what two words are worth then
_SURELY: Final = 0.7  # words of different kinds are aligned from this worth on
_KIND: Final = {"PROPN": "NOUN", "NUM": "NOUN", "AUX": "VERB", "DET": "PRON", "PRON": "NOUN"}
_ATTRIBUTES: Final = frozenset({"amod", "compound"})
_SAME, _NAMES = 1.05, 1.25  # what it is worth that a word recurs


@dataclass(slots=True)
class Reading:
    """One text as units and the roles that join them."""

    units: list[Unit]
    edges: list[Edge]

    def __post_init__(self) -> None:
        table = np.array([edge[:3] for edge in self.edges], np.int64).reshape(-1, 3)
        self.head, self.dependent, self.role = table.T
        self.joined: dict[tuple[int, int], list[Edge]] = {}
        for edge in self.edges:
            self.joined.setdefault((edge[0], edge[1]), []).append(edge)

    head: ndarray = None  # type: ignore[assignment]
    dependent: ndarray = None  # type: ignore[assignment]
    role: ndarray = None  # type: ignore[assignment]
    joined: dict[tuple[int, int], list[Edge]] = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Beside:
    """Units of two texts that run alongside each other, word for word.

    Args:
        pairs: A unit of the premise and one of the hypothesis each.
        share: The share of common words, which tells how much that says.
    """

    pairs: frozenset[tuple[int, int]]
    share: float


def match(premise: Reading, hypothesis: Reading, known: Known, beside: Beside) -> list[int]:
    r"""Return for each unit of the hypothesis its counterpart in the premise, or -1.

    The assignment $M$ maximises the total worth of the pairs, each unit being used once at most,

    $$w_{ij} = \max\big(s_{ij},\ v^\top r_{ij}\big) + a \frac{1}{|E_j|} \sum_{(i,k,\rho) \in E_P,\ (j,l,\sigma) \in E_H}
      c_{\rho\sigma} M_{kl} + b \,|{\rm places}|$$

    (and more where the texts run alongside each other, `side_by_side`), with $s$ whether they are the same word, $r$
    the relation of the words, $v$ what each relation is worth, $c$ how well the roles agree; solved twice, first with
    $M$ from the words alone. Pairs worth too little are dropped.
    """
    p, h = premise.units, hypothesis.units
    if not p or not h:
        return [-1] * len(h)
    worth = known.worth()
    words = np.maximum(worth, _again(premise, hypothesis, known)) * _comparable(p, h, known.same > 0, worth > _SURELY)
    along = np.zeros_like(words)
    for i, j in beside.pairs:
        along[i, j] = beside.share
    words = np.maximum(words, _LEAST * along)
    near = 1 - np.abs(np.linspace(0, 1, len(p))[:, None] - np.linspace(0, 1, len(h))[None, :])
    main = np.array([u.main for u in p])[:, None] & np.array([u.main for u in h])[None, :]
    total = words + _PLACE * near + _MAIN * main + _ALONG * along
    degree = np.bincount(np.concatenate([hypothesis.head, hypothesis.dependent]), minlength=len(h)) + [
        float(u.main) for u in h
    ]
    compatible = COMPATIBLE[premise.role][:, hypothesis.role]
    matched = np.where(words >= 0.5, np.minimum(words, 1.0), 0.0)
    matched = matched / np.maximum(1, np.maximum(matched.sum(0, keepdims=True), matched.sum(1, keepdims=True)))
    rows: ndarray = np.zeros(0, np.int64)
    for _ in range(_ROUNDS):
        support = (_support(premise, hypothesis, compatible, matched) + main) / np.maximum(degree, 1)[None, :]
        worth = total + _ROLE * np.minimum(support, 1) * (words > 0)
        rows, columns = linear_sum_assignment(worth, maximize=True)
        good = worth[rows, columns] >= _ENOUGH
        rows, columns = rows[good], columns[good]
        matched = np.zeros_like(worth)
        matched[rows, columns] = 1.0
    out = [-1] * len(h)
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        out[j] = i
    return out


def _comparable(
    p: list[Unit], h: list[Unit], same: Bool[ndarray, "p h"], known: Bool[ndarray, "p h"]
) -> Float64[ndarray, "p h"]:
    """Return 0 for units that cannot stand for each other: a word for whether something is so, and another."""
    says = np.array([u.operator is not None for u in p])[:, None] == np.array([u.operator is not None for u in h])
    kind = [np.array([_KIND.get(u.pos, u.pos) for u in units]) for units in (p, h)]
    state = [np.array([u.pos == "ADJ" or (u.passive and u.main) for u in units]) for units in (p, h)]  # open, closed
    light = [np.array([u.lemma in LIGHT and u.pos == "VERB" for u in units]) for units in (p, h)]
    beside = [np.array([u.relation in _ATTRIBUTES for u in units]) for units in (p, h)]  # "a Chinese", "a South Korean"
    alike = (kind[0][:, None] == kind[1][None, :]) | (beside[0][:, None] & beside[1][None, :])
    alike |= state[0][:, None] & state[1][None, :]
    alike = alike & (light[0][:, None] == light[1][None, :]) | known
    out: Float64[ndarray, "p h"] = ((says & alike) | same).astype(np.float64)
    return out


def _again(premise: Reading, hypothesis: Reading, known: Known) -> Float64[ndarray, "p h"]:
    """Return what it is worth that a word recurs: of nouns and verbs more, for they are what is spoken of."""
    weight = np.array([_NAMES if unit.pos in {"NOUN", "PROPN", "VERB"} else _SAME for unit in hypothesis.units])
    again: Float64[ndarray, "p h"] = known.same * weight[None, :]
    return again


def _support(
    premise: Reading, hypothesis: Reading, compatible: Float32[ndarray, "a b"], matched: Float64[ndarray, "p h"]
) -> Float64[ndarray, "p h"]:
    """Return how well the neighbours of each pair are matched, in the same roles."""
    out = np.zeros_like(matched)
    a, b, c, d = premise.head, premise.dependent, hypothesis.head, hypothesis.dependent
    np.add.at(out, (a[:, None], c[None, :]), compatible * matched[b[:, None], d[None, :]])
    np.add.at(out, (b[:, None], d[None, :]), compatible * matched[a[:, None], c[None, :]])
    return out
