"""What a test gives away: texts, answers and paths seen in training, answers that are named or stand next door."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, final

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from kgreason.audit.direct import direct_facts
from kgreason.audit.intervals import rate_of
from kgreason.audit.near import near_copies
from kgreason.audit.parts import Leak, Skip
from kgreason.audit.scores import right_answers, seen_in_training
from kgreason.audit.subject import Answers, Subject
from kgreason.data import Example, Role
from kgreason.tasks import Split
from kgreason.tasks.text import same_words

_EXAMPLES = 3
#: What each finding gives: which examples it concerns, and for each what it was found in.
Found: TypeAlias = tuple[Bool[ndarray, " items"], Callable[[int], str]]


def leakage(subject: Subject) -> tuple[list[Leak], list[Skip]]:
    """Look for everything that a test gives away, test by test.

    Returns:
        What was looked for, found or not, and what does not apply.
    """
    leaks, skipped = [], []
    known = seen_in_training(subject)
    for test, split in subject.splits.test.items():
        right = Answers.of(subject.rows[test]).right
        looked = _Looked(test, split.examples, right)
        if known:
            looked.training(known)
            looked.answers(known)
            looked.paths(split, subject.splits.train, subject.splits.dev)
        looked.named()
        if subject.task == "kgqa":
            looked.direct(subject, split)
        leaks += looked.leaks
    if not known:
        skipped.append(Skip("leakage from training", "nothing was trained, so no test text can have been seen."))
    if subject.task != "kgqa":
        why = "the answer is no entity of the graph that an edge could lead to."
        skipped.append(Skip("leakage: answers one edge away", why))
    return leaks, skipped


@final
class _Looked:
    """The findings on one test."""

    def __init__(self, test: str, examples: Sequence[Example], right: Bool[ndarray, " items"]) -> None:
        self.test, self.examples, self.right = test, examples, right
        self.leaks: list[Leak] = []

    def training(self, known: Sequence[Example]) -> None:
        """Look for texts of the test in training: whole examples, nearly whole ones, and texts of each role."""
        whole = [_words(e) for e in self.examples]
        there = {_words(e): e for e in known}
        same = np.array([w in there for w in whole], bool)
        self._tell("text seen", (same, lambda i: _said(there[whole[i]])), True, "Whole examples were trained on.")
        place, alike = near_copies([_said(e) for e in self.examples], [_said(e) for e in known])
        near = (place >= 0) & ~same
        meaning = "Nearly the same example was trained on (at least 80 % of its letters in fives)."
        self._tell(
            "text nearly seen", (near, lambda i: f"{_said(known[place[i]])} ({100 * alike[i]:.0f} %)"), True, meaning
        )
        for role in dict.fromkeys(role for e in self.examples for role in e.roles):
            seen = {same_words(text): text for text in _texts(known, role)}
            if len(self.examples[0].texts) > 1:
                self._role(role, seen)

    def _role(self, role: Role, seen: dict[str, str]) -> None:
        mine = [[same_words(t) for t, r in zip(e.texts, e.roles, strict=True) if r == role] for e in self.examples]
        hit = np.array([bool(texts) and all(t in seen for t in texts) for texts in mine], bool)
        many = "all its choices were" if role == "choice" else f"its {role} was"
        self._tell(
            f"{role} seen",
            (hit, lambda i: seen[mine[i][0]]),
            False,
            f"Not the whole example, but {many} seen in training.",
        )

    def answers(self, known: Sequence[Example]) -> None:
        """Look for the answers of a question among those of training; labels are the same by design."""
        if isinstance(self.examples[0].target, str):
            return
        seen = {_worded(e, answer) for e in known for answer in right_answers(e)}
        hit = np.array([any(_worded(e, a) in seen for a in right_answers(e)) for e in self.examples], bool)
        meaning = "A right answer was a right answer in training: the most frequent ones can be guessed."
        self._tell("answer seen", (hit, lambda i: _first_in(self.examples[i], seen)), False, meaning)

    def paths(self, split: Split, *known: Split) -> None:
        """Look for relation paths of training, and for the very chains of facts that were asked for there."""
        if not split.path:
            return
        paths = {path for part in known for path in part.path.values()}
        asked = {(e.seeds, part.path[e.uid]): _said(e) for part in known for e in part.examples if e.uid in part.path}
        mine = [split.path.get(e.uid) for e in self.examples]
        if paths:
            hit = np.array([path in paths for path in mine], bool)
            meaning = "The relations that lead to the answer were trained on together: nothing is composed anew."
            self._tell("relation path seen", (hit, lambda i: " → ".join(mine[i] or ())), False, meaning)
            pairs = [(e.seeds, path or ()) for e, path in zip(self.examples, mine, strict=True)]
            again = np.array([pair in asked for pair in pairs], bool)
            meaning = "The same facts were asked for in training, in other words: the answer can be remembered."
            self._tell("question seen in other words", (again, lambda i: asked[pairs[i]]), True, meaning)

    def named(self) -> None:
        """Look for the right answer in the question."""
        if self.examples[0].roles[0] == "premise" or isinstance(self.examples[0].target, str):
            return
        named = [next((a for a in _names(e) if _holds(e.texts[0], a)), "") for e in self.examples]
        meaning = "The question names its answer; pointing at a word of it is enough."
        self._tell(
            "answer named in the question", (np.array([bool(n) for n in named]), lambda i: named[i]), True, meaning
        )

    def direct(self, subject: Subject, split: Split) -> None:
        """Look for facts that lead from the question to its answer at once, though more than one step is asked for."""
        fact = direct_facts(subject.front.knowledge, self.examples)
        hops = {
            e.uid: split.category.get(e.uid, {}).get("hops") or str(len(split.path.get(e.uid, ())) or "")
            for e in self.examples
        }
        longer = np.array([hops[e.uid] not in ("", "1") for e in self.examples], bool)
        beside = np.array([bool(f) for f in fact], bool)
        if longer.any():
            meaning = "The question asks for two steps or more, and one fact joins what it names to its answer."
            self._tell("answer one edge away", (beside & longer, lambda i: fact[i]), False, meaning, longer)
        elif not any(hops.values()):
            meaning = (
                "One fact joins what the question names to its answer; how many are asked for, the data do not say."
            )
            self._tell("answer one edge away", (beside, lambda i: fact[i]), False, meaning)

    def _tell(
        self, kind: str, found: Found, serious: bool, meaning: str, among: Bool[ndarray, " items"] | None = None
    ) -> None:
        hit, where = found
        among = np.ones(len(hit), bool) if among is None else among
        shown = tuple((_said(self.examples[i]), where(i)) for i in np.flatnonzero(hit)[:_EXAMPLES].tolist())
        rates = rate_of(hit[among]), rate_of(self.right[hit & among]), rate_of(self.right[~hit & among])
        self.leaks.append(Leak(kind, self.test, *rates, serious, meaning, shown))


def _words(example: Example) -> tuple[str, ...]:
    return tuple(map(same_words, example.texts))


def _said(example: Example) -> str:
    return " / ".join(example.texts)


def _texts(examples: Sequence[Example], role: Role) -> Iterator[str]:
    return (text for e in examples for text, own in zip(e.texts, e.roles, strict=True) if own == role)


def _worded(example: Example, answer: str | int) -> str:
    """Return an answer as a text: a choice is told by its words, not by its place."""
    if isinstance(answer, str):
        return answer
    choices = [t for t, role in zip(example.texts, example.roles, strict=True) if role == "choice"]
    return same_words(choices[answer])


def _first_in(example: Example, seen: set[str]) -> str:
    return next(answer for a in right_answers(example) if (answer := _worded(example, a)) in seen)


def _names(example: Example) -> list[str]:
    """Return the right answers as they would stand in a text; what the question is about is not one of them."""
    answers = [
        a.replace("_", " ") if isinstance(a, str) else _worded_choice(example, a) for a in right_answers(example)
    ]
    about = {seed.replace("_", " ") for seed in example.seeds}
    return [answer for answer in answers if answer and answer not in about]


def _worded_choice(example: Example, place: int) -> str:
    return [t for t, role in zip(example.texts, example.roles, strict=True) if role == "choice"][place]


def _holds(text: str, name: str) -> bool:
    """Return whether a text has a name as whole words."""
    inside, wanted = (
        f" {' '.join(''.join(c if c.isalnum() else ' ' for c in t.casefold()).split())} " for t in (text, name)
    )
    return bool(wanted.strip()) and wanted in inside
