"""How far counting words in a part of the input goes: what the data give away without any reasoning."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from kgreason.audit.intervals import rate_of
from kgreason.audit.parts import Shortcut, Skip
from kgreason.audit.scores import majority, right_answers
from kgreason.audit.subject import Answers, Row, Subject
from kgreason.data import Example, Role

#: Fitting on more than this tells no more, and takes minutes.
_MOST_TRAIN, _FOLDS, _NEIGHBOURS = 20_000, 5, 20
_WORDS = r"(?u)\b\w+\b"


def shortcuts(subject: Subject, test: str, limit: int) -> tuple[list[Shortcut], list[Skip]]:
    """Fit word counters on the part of the input that should not be enough, and test them.

    - NLI: the hypothesis alone, and the premise alone, by logistic regression over words and pairs of words.
    - Choice: the choices alone: of each, whether it is right, by the same; the likeliest is taken.
    - Questions over a graph: the question with its entities masked; the right answers of the 20 training questions
      with the most similar words vote.

    They are fitted on the training split. Where nothing was trained, on the test itself in five folds that share no
    premise: what an annotator's habits would give away to whoever was trained on such data.

    Args:
        subject: The run.
        test: What the test is called.
        limit: At most so many examples of the test; 0 for all.

    Reference:
        Gururangan et al. (2018), arXiv:1803.02324; Poliak et al. (2018), arXiv:1805.01042.
    """
    split, rows = subject.sample(test, limit)
    asked, train = split.examples, subject.splits.train.sample(_MOST_TRAIN).examples
    if subject.task == "nli":
        found = [_by_label(test, role, train, (asked, rows)) for role in ("hypothesis", "premise")]
        return [f for f in found if f is not None], []
    if subject.task == "choice":
        return [s for s in [_by_choice(test, train, (asked, rows))] if s is not None], []
    if subject.task == "kgqa" and train:
        return [_by_neighbours(test, train, (asked, rows))], []
    why = "nothing was trained." if subject.task == "kgqa" else "a story without its question says nothing."
    return [], [Skip("strength of a part of the input", why)]


def _by_label(
    test: str, role: Role, train: Sequence[Example], asked: tuple[Sequence[Example], Sequence[Row]]
) -> Shortcut | None:
    examples, rows = asked
    texts, gold = [_text(e, role) for e in examples], np.array([str(e.target) for e in examples])
    if train:
        found = _fitted([_text(e, role) for e in train], np.array([str(e.target) for e in train]), texts)
        return _told(test, role, found == gold, majority(train, examples), rows, "train")
    if min(np.unique(gold, return_counts=True)[1]) < _FOLDS or len(set(gold.tolist())) < 2:
        return None
    from sklearn.model_selection import StratifiedGroupKFold

    found = np.empty_like(gold)
    groups = np.unique([e.texts[0] for e in examples], return_inverse=True)[1]
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0)
    try:
        cuts = list(folds.split(texts, gold, groups))
    except ValueError:  # fewer premises than folds
        return None
    for fit, hold in cuts:
        found[hold] = _fitted([texts[i] for i in fit], gold[fit], [texts[i] for i in hold])
    return _told(test, role, found == gold, majority(examples, examples), rows, "test, in five folds")


def _by_choice(test: str, train: Sequence[Example], asked: tuple[Sequence[Example], Sequence[Row]]) -> Shortcut | None:
    if not train:
        return None
    examples, rows = asked
    texts = [text for e in train for text in e.texts[1:]]
    right = np.array([i == e.target for e in train for i in range(len(e.texts) - 1)])
    every = _chance(texts, right, [text for e in examples for text in e.texts[1:]])
    ends = np.cumsum([len(e.texts) - 1 for e in examples])
    best = np.array([int(part.argmax()) for part in np.split(every, ends[:-1])])
    hit = best == np.array([e.target for e in examples])
    return _told(test, "choice", hit, majority(train, examples), rows, "train")


def _by_neighbours(test: str, train: Sequence[Example], asked: tuple[Sequence[Example], Sequence[Row]]) -> Shortcut:
    from sklearn.feature_extraction.text import TfidfVectorizer

    examples, rows = asked
    count = TfidfVectorizer(token_pattern=_WORDS, ngram_range=(1, 2))
    known, mine = count.fit_transform([_masked(e) for e in train]), count.transform([_masked(e) for e in examples])
    hit = np.zeros(len(examples), bool)
    for start in range(0, len(examples), 256):
        alike = (mine[start : start + 256] @ known.T).toarray()
        near = np.argsort(-alike, axis=1, kind="stable")[:, :_NEIGHBOURS]
        for i, places in enumerate(near, start):
            votes: dict[str | int, float] = {}
            for j in places.tolist():
                for answer in right_answers(train[j]):
                    votes[answer] = votes.get(answer, 0.0) + float(alike[i - start, j])
            best = max(votes.items(), key=lambda item: (item[1], str(item[0])))[0]
            hit[i] = best in right_answers(examples[i])
    return _told(test, "question", hit, majority(train, examples), rows, "train")


def _told(
    test: str, part: str, hit: Bool[ndarray, " items"], most: Bool[ndarray, " items"], rows: Sequence[Row], fitted: str
) -> Shortcut:
    return Shortcut(test, part, rate_of(hit), float(most.mean()), float(Answers.of(rows).right.mean()), fitted)


def _fitted(texts: Sequence[str], gold: ndarray, asked: Sequence[str]) -> ndarray:
    """Return the label that a logistic regression over words and pairs of words gives to each text."""
    if len(set(gold.tolist())) < 2:
        return np.full(len(asked), gold[0])
    counts, model = _model(texts, gold)
    found: ndarray = model.predict(counts.transform(asked))
    return found


def _chance(texts: Sequence[str], right: ndarray, asked: Sequence[str]) -> Float[ndarray, " asked"]:
    counts, model = _model(texts, right)
    found: ndarray = model.predict_proba(counts.transform(asked))[:, 1]
    return found


def _model(texts: Sequence[str], gold: ndarray):  # type: ignore[no-untyped-def]  # scikit-learn has no types
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    counts = TfidfVectorizer(token_pattern=_WORDS, ngram_range=(1, 2), min_df=2 if len(texts) > 200 else 1)
    return counts, LogisticRegression(C=4.0, max_iter=500).fit(counts.fit_transform(texts), gold)


def _text(example: Example, role: Role) -> str:
    return " ".join(text for text, own in zip(example.texts, example.roles, strict=True) if own == role)


def _masked(example: Example) -> str:
    """Return a question with a blank for each entity that it is about."""
    text = example.texts[0]
    for first, start, end in sorted(example.mentions, reverse=True):
        text = text[:start] + " " + text[end:] if first == 0 else text
    return text
