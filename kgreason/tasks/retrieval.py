"""How good retrieved sets of entities are: Hits@k, MRR, sets against sets, and "none of these"."""

import hashlib
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy.special import gammaln

from kgreason.data import NONE, SHARES, KnowledgeGraph, Predictions, Ranks, count_shares, entities_of
from kgreason.errors import DataError
from kgreason.tasks.ceiling import ceiling
from kgreason.tasks.ledger import FAILURES, failures
from kgreason.tasks.metrics import kinds_of
from kgreason.tasks.split import Split

_AT = (1, 3, 10)


def retrieval(
    split: Split, found: Predictions, knowledge: KnowledgeGraph, threshold: float = 0.0, final: bool = True
) -> dict[str, float]:
    """Score sets of entities. All numbers are exact, however few candidates were kept (`Ranks`).

    The answer is the set of entities whose probability is at least `threshold` times that of the best one; it is empty
    if "none of these" is likelier than every entity, or no entity was touched. A question without an answer counts 1 in
    every metric if the answer is empty, else 0. An answer that the graph does not have, or that was not touched, is
    never found and counts in every denominator. The name of an answer that stands for several entities makes all of
    them right.

    Args:
        split: The questions.
        found: What the reasoner says about them.
        knowledge: The graph.
        threshold: Rounded to the nearest of `SHARES`; 0 for the one with the best mean F1 on these questions.
        final: Whether to tell the score of each question type, and the ceiling, too.

    Returns:
        `hits@1` with `hits@1.low` and `hits@1.high` (95 %, Wilson), `hits@3`, `hits@10`, `mrr` (1 over the rank of the
        best right answer): of candidates with the same probability, the expected value under random order.
        `precision`, `recall`, `f1` of the sets, `exact` (set equals set): means over the questions. `threshold`,
        `candidates` (entities touched, mean), `unreached` (share of the right answers that were not touched),
        `linked` (share of the questions with known seeds of which one is among the entities that grounding gave),
        `failure.X` (see `failures`), `size`. The same as `hops.H.hits@1`, `type.T.hits@1` and so on; what `ceiling`
        returns.

    Raises:
        DataError: If a question has no answer to compare with, or nobody counted ranks.
    """
    outcome = Outcome.of(split, found, knowledge)
    at = outcome.calibrated() if not threshold else int(np.abs(np.log(SHARES / threshold)).argmin())
    columns = outcome.columns(at)
    scores = _summary(columns, np.ones(len(split), bool)) | {"threshold": float(SHARES[at])}
    scores["candidates"] = float(outcome.ranks.touched.mean())
    scores["unreached"] = float((outcome.better < 0).sum() / max(1, outcome.entity.sum()))
    if any(e.seeds for e in split.examples):
        scores["linked"] = float(outcome.linked[[bool(e.seeds) for e in split.examples]].mean())
    failed = outcome.failures(at, split)
    scores |= {f"failure.{name}": float((failed == code).mean()) for code, name in enumerate(FAILURES) if name}
    for (kind, name), mine in kinds_of(split.examples, split.category).items():
        if final or kind == "hops":
            scores |= {f"{kind}.{name}.{key}": value for key, value in _summary(columns, mine).items()}
    return scores | (ceiling(split, knowledge) if final and split.path else {})


def retrieval_rows(
    split: Split, found: Predictions, knowledge: KnowledgeGraph, threshold: float, most: int = 20
) -> list[dict[str, Any]]:
    """Return what is written down of each question.

    `right` says whether the first answer is; of several that share the first place one is drawn, always the same one.
    `answers` are the first `most` of the set, `size` is how many it has; `mrr` and `f1` are the question's own.
    """
    outcome = Outcome.of(split, found, knowledge)
    at = int(np.abs(np.log(SHARES / threshold)).argmin())
    failed, right, size = outcome.failures(at, split), outcome.drawn(split), outcome.sets(at)[1]
    columns, rows = outcome.columns(at), []
    for i, example in enumerate(split.examples):
        order = np.argsort(-found.probability[i], kind="stable")
        kept = [(int(c), float(found.probability[i][j])) for j in order if (c := found.candidate[i][j]) != NONE]
        kept = _drawn_first(kept, set(found.right[i].tolist()), bool(right[i]))[: min(most, int(size[i]))]
        told = [[knowledge.label(c), round(p, 6)] for c, p in kept]
        gold = sorted(example.target) if isinstance(example.target, frozenset) else []
        row: dict[str, Any] = {"uid": example.uid, "gold": gold, "answer": told[0][0] if told else ""}
        row |= {"right": bool(right[i]), "answers": told, "size": int(size[i])}
        row |= {name: round(float(columns[name][i]), 6) for name in ("mrr", "f1")}
        row |= {"none": round(float(outcome.ranks.none[i]), 6), "touched": int(outcome.ranks.touched[i])}
        row |= {"failure": FAILURES[failed[i]], "cycles": int(found.cycles[i])}
        rows.append(row | dict(split.category.get(example.uid, {})))
    return rows


@final
@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of each question, in columns.

    Args:
        ranks: Where the right answers stand.
        entity: Whether each right answer is an entity, and not `NONE`.
        better: How many candidates stand above each right entity, "none of these" included; -1 if it was not touched.
        answerable: Whether each question has an answer.
        none: Whether "none of these" was said.
        linked: Whether a known seed is among the entities that grounding gave; True if no seed is known.
    """

    ranks: Ranks
    entity: Bool[ndarray, " answers"]
    better: Int[ndarray, " answers"]
    answerable: Bool[ndarray, " examples"]
    none: Bool[ndarray, " examples"]
    linked: Bool[ndarray, " examples"]

    @classmethod
    def of(cls, split: Split, found: Predictions, knowledge: KnowledgeGraph) -> "Outcome":
        ranks = found.ranks
        if ranks is None:
            raise DataError("These predictions have no ranks; make them with kgreason.train.predict.")
        entity = ranks.right != NONE
        known = np.bincount(ranks.question, minlength=len(split))
        if not known.all():
            uid = split.examples[int((known == 0).argmax())].uid
            raise DataError(f"Example '{uid}' has no 'answers', and they are needed to train or to test.")
        above = ranks.none[ranks.question] > ranks.share * ranks.best[ranks.question]
        return cls(
            ranks=ranks,
            entity=entity,
            better=np.where(ranks.better < 0, -1, ranks.better + above),
            answerable=np.bincount(ranks.question[entity], minlength=len(split)) > 0,
            none=(ranks.none > ranks.best) | (ranks.touched == 0),
            linked=_linked(split, found, knowledge),
        )

    def first(self, at_most: int) -> Float[ndarray, " examples"]:
        r"""Return the probability that a right answer is among the first `at_most`, ties in random order.

        With $b$ candidates above the best right answers, which are $r$ of $e$ candidates that share a place, it is
        $1 - \binom{e - (k - b)}{r} / \binom{e}{r}$.
        """
        b, e, r = self._places()
        k = np.clip(at_most - b, 0, e)
        missed = np.exp(_log_choose(np.maximum(e - k, r), r) - _log_choose(e, r))
        hit = np.where(k > e - r, 1.0, 1 - missed) * (r > 0)
        return np.where(self.answerable, hit, self.none)

    def reciprocal(self) -> Float[ndarray, " examples"]:
        """Return 1 over the rank of the best right answer, ties in random order; 0 if none was touched."""
        b, e, r = self._places()
        out = np.where(r > 0, 1 / (b + 1), 0.0)
        for i in np.flatnonzero((r > 0) & (e > r)):
            j = np.arange(1, e[i] - r[i] + 2)  # the first right one stands at j of e
            weight = np.exp(_log_choose(e[i] - j, r[i : i + 1] - 1) - _log_choose(e[i : i + 1], r[i : i + 1]))
            out[i] = (weight / (b[i] + j)).sum()
        return np.where(self.answerable, out, self.none)

    def sets(self, at: int | slice) -> tuple[ndarray, ndarray, ndarray]:
        """Return how many right entities the answer has, how many it has, and how many there are to find."""
        many = len(self.none)
        said = ~self.none
        hits = count_shares(self.ranks.question[self.entity], self.ranks.share[self.entity], many)[:, at]
        size = self.ranks.size_at[:, at]
        wanted = np.bincount(self.ranks.question[self.entity], minlength=many)
        return (hits.T * said).T, (size.T * said).T, wanted

    def calibrated(self) -> int:
        """Return the place in `SHARES` with the best mean F1; of several, the one of the largest share."""
        hits, size, wanted = self.sets(slice(None))
        f1 = 2 * hits / np.maximum(size + wanted[:, None], 1)
        return int(f1[self.answerable].mean(0).argmax()) if self.answerable.any() else 0

    def columns(self, at: int) -> dict[str, Float[ndarray, " examples"]]:
        """Return every metric of every question."""
        hits, size, wanted = self.sets(at)
        exact = (hits == wanted) & (size == wanted)
        found = {f"hits@{k}": self.first(k) for k in _AT} | {"mrr": self.reciprocal()}
        sets = {
            "precision": hits / np.maximum(size, 1),
            "recall": hits / np.maximum(wanted, 1),
            "f1": 2 * hits / np.maximum(size + wanted, 1),
            "exact": exact.astype(float),
        }
        return found | {name: np.where(self.answerable, column, self.none) for name, column in sets.items()}

    def drawn(self, split: Split) -> Bool[ndarray, " examples"]:
        """Return whether the first answer is right; where several share the first place, one is drawn by the uid."""
        return np.array([_uniform(e.uid) for e in split.examples]) < self.first(1)

    def failures(self, at: int, split: Split) -> Int[ndarray, " examples"]:
        """Return the place in `FAILURES` of each question."""
        hits, size, wanted = self.sets(at)
        touched = np.bincount(self.ranks.question[self.better >= 0], minlength=len(split))
        blind = Outcome(self.ranks, self.entity, self.ranks.better, self.answerable, self.none, self.linked)
        return failures(
            right=np.where(self.answerable, (hits == wanted) & (size == wanted), self.none),
            linked=self.linked | ~self.answerable,
            retrieved=(touched > 0) | ~self.answerable,
            first=blind.drawn(split) | ~self.answerable,
            complete=(hits == size) & (hits == touched) & (hits > 0),
        )

    def _places(self) -> tuple[ndarray, ndarray, ndarray]:
        """Return how many candidates stand above the best right answers, how many share their place, how many are they.

        All 0 where no right answer was touched.
        """
        many, listed = len(self.none), self.better >= 0
        question, better = self.ranks.question[listed], self.better[listed]
        b = np.full(many, np.iinfo(np.int64).max)
        np.minimum.at(b, question, better)
        top = better == b[question]
        e, r = np.zeros(many, np.int64), np.bincount(question[top], minlength=many)
        e[question[top]] = self.ranks.equal[listed][top]
        return np.where(r > 0, b, 0), e, r


def _summary(columns: dict[str, ndarray], mine: Bool[ndarray, " examples"]) -> dict[str, float]:
    scores = {"size": float(mine.sum())} | {name: float(column[mine].mean()) for name, column in columns.items()}
    scores["hits@1.low"], scores["hits@1.high"] = wilson(scores["hits@1"], int(mine.sum()))
    return scores


def wilson(share: float, size: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share of `size` items.

    >>> low, high = wilson(0.5, 100)
    >>> round(low, 3), round(high, 3)
    (0.404, 0.596)

    Reference:
        Wilson (1927), Journal of the American Statistical Association 22.
    """
    z = 1.959963984540054
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * float(np.sqrt(share * (1 - share) / size + z * z / (4 * size * size)))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def _linked(split: Split, found: Predictions, knowledge: KnowledgeGraph) -> Bool[ndarray, " examples"]:
    if not len(found.seeds):
        return np.ones(len(split), bool)
    linked = []
    for example, given in zip(split.examples, found.seeds, strict=True):
        gold = [entity for name in example.seeds for entity in entities_of(knowledge, name).tolist()]
        linked.append(not example.seeds or bool(np.isin(gold, given).any()))
    return np.array(linked, bool)


def _drawn_first(kept: list[tuple[int, float]], gold: set[int], right: bool) -> list[tuple[int, float]]:
    """Put that one of the best candidates first which was drawn: a right one, or a wrong one."""
    tied = [i for i, (_, p) in enumerate(kept) if p == kept[0][1]]
    drawn = next((i for i in tied if (kept[i][0] in gold) == right), 0)
    return kept[drawn : drawn + 1] + kept[:drawn] + kept[drawn + 1 :]


def _log_choose(n: ndarray, k: ndarray) -> ndarray:
    out: ndarray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return out


def _uniform(uid: str) -> float:
    """Return a number drawn by the uid, and not by what `Split.sample` draws by: a sample must not be of the lucky."""
    return int(hashlib.sha256(f"first answer of {uid}".encode()).hexdigest()[:13], 16) / 16**13
