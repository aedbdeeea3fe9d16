"""The parts of a card."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

How: TypeAlias = Literal["trained", "untrained", "test-time"]


@final
@dataclass(frozen=True, slots=True)
class Rate:
    """A share of some items with its 95 % interval (Wilson).

    Args:
        count: How many.
        size: Of how many.
        low: Lower end.
        high: Upper end.
    """

    count: int
    size: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.count / self.size if self.size else 0.0


@final
@dataclass(frozen=True, slots=True)
class Gap:
    """A difference with its 95 % interval. It is told from 0 only if the interval does not hold 0.

    Args:
        value: The difference.
        low: Lower end.
        high: Upper end.
        size: On how many items, each answered both ways.
    """

    value: float
    low: float
    high: float
    size: int

    @property
    def is_told(self) -> bool:
        return self.low > 0 or self.high < 0


@final
@dataclass(frozen=True, slots=True)
class Score:
    """What a run reached on one test.

    Args:
        test: What the test is called.
        metric: `accuracy` or `hits@1`.
        value: In [0, 1].
        low, high: Its 95 % interval over the examples; that over seeds needs several runs.
        size: How many examples.
        majority: What one answer to all, the one most frequent in training (without training: in this test), reaches.
        ceiling: What a perfect reasoner would reach with the facts there are; None where the task has none.
        coverage: Share of the examples whose right answer was reached at all; None where answers are not retrieved.
    """

    test: str
    metric: str
    value: float
    low: float
    high: float
    size: int
    majority: float
    ceiling: float | None
    coverage: float | None


@final
@dataclass(frozen=True, slots=True)
class Contrast:
    """The run beside the same with one thing taken away or spoilt.

    Args:
        name: Of the control.
        question: What it asks.
        how: `trained`: the control was trained so; `untrained`: nothing is trained, in neither; `test-time`: the run's
            weights met the control in the test alone.
        test: What the test is called.
        run: The run's score on the examples that both answered.
        control: The control's score on them.
        gap: The run's less the control's.
        only_run, only_control, both, neither: How many examples each got right: the 2 × 2 table.
    """

    name: str
    question: str
    how: How
    test: str
    run: float
    control: float
    gap: Gap
    only_run: int
    only_control: int
    both: int
    neither: int


@final
@dataclass(frozen=True, slots=True)
class Leak:
    """Something of the test that training, the question or the graph gives away.

    Args:
        kind: What.
        test: What the test is called.
        seen: How many examples it concerns.
        right_seen: How many of them are right.
        right_unseen: How many of the others are right.
        serious: Whether it should not be there at all; else it is told for the reader to weigh.
        meaning: What it means, in one sentence.
        examples: Some of those concerned: the test's text, and what it was found in.
    """

    kind: str
    test: str
    seen: Rate
    right_seen: Rate
    right_unseen: Rate
    serious: bool
    meaning: str
    examples: tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True, slots=True)
class Bias:
    """How often one label is right, and how often it is given.

    Args:
        test: What the test is called.
        label: Which.
        gold: Share of the examples whose label it is.
        given: Share to which it was given.
        gap: `given` less `gold`, paired by example.
    """

    test: str
    label: str
    gold: float
    given: float
    gap: Gap


@final
@dataclass(frozen=True, slots=True)
class Shortcut:
    """What counting words in a part of the input reaches: what the data give away without reasoning.

    Args:
        test: What the test is called.
        part: `hypothesis`, `question`, `choice`.
        score: Of the word counter.
        majority: Of one answer to all, on the same examples.
        run: Of the run, on the same examples.
        fitted: What it was fitted on: `train`, or `test, in five folds` where nothing was trained.
    """

    test: str
    part: str
    score: Rate
    majority: float
    run: float
    fitted: str


@final
@dataclass(frozen=True, slots=True)
class Probe:
    """What becomes of the answers when the input or the graph is changed a little.

    Args:
        name: What was changed.
        test: What the test is called.
        wanted: `stay`: no answer should change; `fall`: the score should, if what was changed is used; `either`: the
            number speaks for itself.
        changed: How many answers changed, of those examples whose input did.
        before: Score on these examples as they are.
        after: Score as changed; the right answers are taken to be the same.
        examples: Changed answers: the changed text, the answer before, the answer after.
    """

    name: str
    test: str
    wanted: Literal["stay", "fall", "either"]
    changed: Rate
    before: float
    after: float
    examples: tuple[tuple[str, str, str], ...]


@final
@dataclass(frozen=True, slots=True)
class Faith:
    """Whether an explanation names what the answer rests on.

    Args:
        test: What the test is called.
        what: What the explanation consists of: `facts of the path`, `facts in the graph of the text`, `proof steps`.
        removed: How often the answer changed with what it names taken away (comprehensiveness; more is better).
        removed_random: The same with as many others taken away.
        kept: How often the answer stayed with nothing else left (sufficiency; more is better).
        kept_random: The same with as many others left.
        drop: By how much the probability of the answer fell on removal, mean.
        drop_random: The same with as many others taken away.
        size: Facts or steps in an explanation, mean.
        without: Examples whose explanation names none, and that are not counted here.
        examples: Answers that changed: what was removed, the answer before, the answer after.
    """

    test: str
    what: str
    removed: Rate
    removed_random: Rate
    kept: Rate
    kept_random: Rate
    drop: float
    drop_random: float
    size: float
    without: int
    examples: tuple[tuple[str, str, str], ...]


@final
@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of like confidence: how sure, how many, how many right."""

    confidence: float
    right: Rate


@final
@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether confidence is what it says.

    Args:
        test: What the test is called.
        ece: Expected calibration error, 15 bins (Guo et al. 2017, arXiv:1706.04599).
        brier: Mean of (confidence of the answer − whether it is right)².
        confidence: Mean confidence.
        bins: Ten bins of equal width; those that hold nothing are left out.
    """

    test: str
    ece: float
    brier: float
    confidence: float
    bins: tuple[Bin, ...]


@final
@dataclass(frozen=True, slots=True)
class Slice:
    """The score on a part of a test.

    Args:
        test: What the test is called.
        kind: By what the test is cut: `category`, `hops`, `words`, …
        name: Which part.
        right: How many are right.
        stands_out: Whether it differs from the rest of the test (Fisher's exact test, p < 0.05 after Holm over all
            slices of the test).
    """

    test: str
    kind: str
    name: str
    right: Rate
    stands_out: bool


@final
@dataclass(frozen=True, slots=True)
class Skip:
    """A part of the card that does not apply or was not done, and why, in one line."""

    part: str
    why: str
