"""From evidence to a distribution over the seven relations, by a fixed table of log-odds."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from kgreason.data import UPOS, Entailment
from kgreason.ground.morphology import Negation, negation, one_stem
from kgreason.ground.sense_pairs import EVIDENCE
from kgreason.ground.term import Term

#: Parts of speech that differ in what is to be expected of two words.
CLASSES: Final = {
    "noun": ("NOUN", "X"),
    "name": ("PROPN",),
    "verb": ("VERB",),
    "quality": ("ADJ", "ADV"),
    "function": ("ADP", "AUX", "CCONJ", "DET", "INTJ", "NUM", "PART", "PRON", "PUNCT", "SCONJ", "SYM"),
}
_CLASS: Final = {UPOS.id(tag): i for i, tags in enumerate(CLASSES.values()) for tag in tags} | {-1: 0}
NEGATIONS: Final[tuple[Negation, ...]] = ("", "complement", "contrary")
#: What a row of features holds: evidence of the senses, some of it by class; form; what is unknown; classes.
FEATURES: Final = (
    *EVIDENCE,
    "opposite qualities",
    "far_opposite qualities",
    "exclusive verbs",
    "disjoint verbs",
    "exclusive, yet one is the other",
    "disjoint, yet one is the other",
    "exclusive, yet a part",
    "exclusive names, yet a part",
    "goes together",
    "one stem",
    "complement",
    "contrary",
    "no evidence",
    "one is unknown",
    "both are unknown",
    "unknown names",
    "another class",
    *CLASSES,
)
_AT: Final = {name: i for i, name in enumerate(FEATURES)}
_LINEAL: Final = ("synonym", "forward", "reverse")
#: Evidence counts as a power of its strength: words are compared in senses that are related, so that a rare sense that
#: is related is likelier meant than its share says.
_POWER: Final = dict.fromkeys(_LINEAL, 0.35) | dict.fromkeys(("opposite", "far_opposite", "exclusive", "disjoint"), 0.5)
_POWERS: Final = np.array([_POWER.get(name, 1.0) for name in EVIDENCE], np.float32)
_VERB, _QUALITY, _NAME = (list(CLASSES).index(name) for name in ("verb", "quality", "name"))

#: Log-odds of ≡ ⊏ ⊐ ^ | ⌣ # per unit of each feature; made by `tests/bench/bench_lexical.py --fit`.
_LOG_ODDS: Final = {
    "synonym": (3.7, 0.0, 0.0, -0.6, -1.5, 0.0, -1.7),
    "forward": (1.5, 4.4, -1.5, -1.1, -1.1, 0.0, -2.3),
    "reverse": (1.5, -1.5, 4.4, -1.1, -1.1, 0.0, -2.3),
    "opposite": (-1.4, -1.9, -1.9, 3.4, 3.7, 0.0, -1.8),
    "far_opposite": (-0.3, -0.2, -0.2, 1.8, 1.5, 0.0, -2.5),
    "negation": (-2.0, -2.0, -2.0, 6.0, 2.0, 0.0, -2.0),
    "disjoint": (-0.6, -0.6, -0.6, 0.6, 1.6, 0.0, -0.4),
    "apart": (-2.0, -2.0, -2.0, 0.0, 6.0, 0.0, -2.0),
    "exclusive": (-0.9, -0.6, -0.6, -0.6, 5.4, 0.0, -2.7),
    "alike": (1.4, 0.7, 0.7, 1.0, -2.7, 0.0, -1.1),
    "part": (-1.8, -0.4, -0.4, -0.1, -1.2, 0.0, 3.9),
    "related": (1.5, 0.4, 0.4, -0.4, -0.8, 0.0, -1.1),
    "milder": (2.3, -0.5, 2.3, -0.5, -1.5, 0.0, -2.1),
    "stronger": (2.3, 2.3, -0.5, -0.5, -1.5, 0.0, -2.1),
    "beside": (1.5, 0.3, 0.3, -0.5, 0.5, 0.0, -2.0),
    "attribute": (0.4, -0.2, -0.2, 0.4, 0.7, 0.0, -1.1),
    "opposite qualities": (-0.4, -0.3, -0.3, 1.6, 0.2, 0.0, -0.8),
    "far_opposite qualities": (-0.6, -0.6, -0.6, 1.2, 1.3, 0.0, -0.7),
    "exclusive verbs": (-0.4, 1.0, 1.0, -0.3, -1.2, 0.0, -0.1),
    "disjoint verbs": (-1.2, 0.5, 0.5, -0.3, 1.8, 0.0, -1.2),
    "exclusive, yet one is the other": (0.7, -1.3, -1.3, -0.1, -1.4, 0.0, 3.6),
    "disjoint, yet one is the other": (1.0, 0.3, 0.3, -0.3, -0.8, 0.0, -0.5),
    "exclusive, yet a part": (-1.0, 1.2, 1.2, 0.3, -1.2, 0.0, -0.5),
    "exclusive names, yet a part": (0.0, 0.0, 0.0, 0.0, -4.0, 0.0, 3.0),
    "goes together": (0.3, -1.6, -1.6, 0.4, -0.8, 0.0, 3.2),
    "one stem": (2.3, -0.6, -0.6, -0.2, 0.7, 0.0, -1.5),
    "complement": (-0.5, -0.7, -0.7, 3.8, -0.3, 0.0, -1.6),
    "contrary": (-0.5, -0.8, -0.8, 1.7, 0.9, 0.0, -0.6),
    "no evidence": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.8),
    "one is unknown": (-0.6, 0.3, 0.3, 0.5, 0.2, 0.0, -0.6),
    "both are unknown": (0.0, 0.3, 0.3, 0.0, 0.5, 0.0, 0.5),
    "unknown names": (-0.2, 0.8, 0.8, -0.3, -0.5, 0.0, -0.7),
    "another class": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "noun": (-0.5, -0.4, -0.4, -1.8, 0.3, -6.0, 3.0),
    "name": (-1.6, 0.6, 0.6, -1.2, 2.8, -6.0, 1.2),
    "verb": (0.3, 0.2, 0.2, -3.2, 1.3, -6.0, 2.2),
    "quality": (-0.6, -0.4, -0.4, -1.4, 0.9, -6.0, 2.0),
    "function": (-0.2, -0.4, -0.4, -1.5, 0.7, -6.0, 1.7),
}
WEIGHTS: Final[Float32[ndarray, "features 7"]] = np.array(
    [_LOG_ODDS.get(name, (0,) * 7) for name in FEATURES], np.float32
)

#: Where the rest goes if a relation is not quite sure: to those that it is taken for.
_REST: Final = np.array(
    [
        # ≡    ⊏     ⊐     ^     |     ⌣     #
        [0.00, 0.30, 0.30, 0.00, 0.10, 0.00, 0.30],
        [0.30, 0.00, 0.05, 0.00, 0.20, 0.00, 0.45],
        [0.30, 0.05, 0.00, 0.00, 0.20, 0.00, 0.45],
        [0.02, 0.02, 0.02, 0.00, 0.74, 0.00, 0.20],
        [0.05, 0.12, 0.12, 0.11, 0.00, 0.00, 0.60],
        [0.05, 0.20, 0.20, 0.05, 0.00, 0.00, 0.50],
        [0.12, 0.20, 0.20, 0.00, 0.48, 0.00, 0.00],
    ],
    np.float32,
)


def spread(relation: Entailment, sure: float) -> Float32[ndarray, " 7"]:
    """Return a distribution that gives a relation so much, and the rest to those that it is taken for."""
    out = (1 - sure) * _REST[relation]
    out[relation] = sure
    return np.asarray(out, np.float32)


def features(
    strength: Float32[ndarray, "pairs kinds"],
    pairs: Sequence[tuple[Term, Term]],
    known: Sequence[tuple[bool, bool]],
    together: Sequence[float],
) -> Float32[ndarray, "pairs features"]:
    """Return a row of `FEATURES` for each pair.

    Args:
        strength: The evidence of their senses.
        pairs: Who they are.
        known: Whether any graph has senses of each.
        together: How sure facts about words are that both go together.
    """
    out = np.zeros((len(pairs), len(FEATURES)), np.float32)
    out[:, : len(EVIDENCE)] = strength**_POWERS
    kind = np.array([(_CLASS[a.pos], _CLASS[b.pos]) for a, b in pairs], np.int64).reshape(-1, 2)
    alike = kind[:, 0] == kind[:, 1]
    for name, which in (("opposite", _QUALITY), ("far_opposite", _QUALITY), ("exclusive", _VERB), ("disjoint", _VERB)):
        group = "qualities" if which == _QUALITY else "verbs"
        out[:, _AT[f"{name} {group}"]] = out[:, _AT[name]] * (alike & (kind[:, 0] == which))
    _enter_disputes(out)
    names = alike & (kind[:, 0] == _NAME)
    out[:, _AT["exclusive names, yet a part"]] = out[:, _AT["part"]] * (out[:, _AT["exclusive"]] > 0) * names
    _enter_forms(out, pairs)
    out[:, _AT["goes together"]] = together
    unknown = 2 - np.array(known, np.int64).reshape(-1, 2).sum(1)
    out[:, _AT["no evidence"]] = ~strength.any(1) & (unknown == 0)
    out[:, _AT["one is unknown"]] = unknown == 1
    out[:, _AT["both are unknown"]] = unknown == 2
    out[:, _AT["unknown names"]] = (unknown > 0) & alike & (kind[:, 0] == _NAME)
    out[:, _AT["another class"]] = ~alike
    _enter_classes(out, kind, alike)
    return out


def _enter_disputes(out: Float32[ndarray, "pairs features"]) -> None:
    """What seems to exclude does not if the one is the other in a sense nearly as likely, or a part of it."""
    lineal = out[:, [_AT[name] for name in _LINEAL]].max(1)
    for name in ("exclusive", "disjoint"):
        out[:, _AT[f"{name}, yet one is the other"]] = out[:, _AT[name]] * lineal
    apart = np.maximum(out[:, _AT["exclusive"]], out[:, _AT["disjoint"]])
    out[:, _AT["exclusive, yet a part"]] = apart * out[:, _AT["part"]]


def _enter_forms(out: Float32[ndarray, "pairs features"], pairs: Sequence[tuple[Term, Term]]) -> None:
    negations = [negation(a.lemma, b.lemma) for a, b in pairs]
    for name in NEGATIONS[1:]:
        out[:, _AT[name]] = [found == name for found in negations]
    related = out[:, _AT["related"]] > 0
    out[:, _AT["one stem"]] = related & np.array([one_stem(a.lemma, b.lemma) for a, b in pairs], np.bool_)


def _enter_classes(out: Float32[ndarray, "pairs features"], kind: Int64[ndarray, "pairs 2"], alike: ndarray) -> None:
    rows = np.flatnonzero(alike)
    out[rows, _AT["noun"] + kind[rows, 0]] = 1


def verdicts(rows: Float32[ndarray, "pairs features"]) -> Float32[ndarray, "pairs 7"]:
    r"""Return $p(r) \propto e^{x \cdot w_r}$, with $x$ a row of features and $w$ the table."""
    odds = rows @ WEIGHTS
    odds -= odds.max(1, keepdims=True)
    share = np.exp(odds)
    return np.asarray(share / share.sum(1, keepdims=True), np.float32)
