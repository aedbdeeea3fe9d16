"""What may be said of a run, in words: no more than the intervals allow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from kgreason.audit.parts import Bias, Calibration, Contrast, Faith, Gap, Leak, Probe, Score, Shortcut

#: What is worth a sentence: a label whose share of the answers is off by this much, answers that change, confidence
#: that is off; and how many labels it names.
_FAR, _FLIPS, _UNSURE, _SHOWN = 0.05, 0.1, 0.1, 3
_WITHOUT, _SHUFFLED = ("no-graph", "no-facts"), ("tails-shuffled",)


@final
@dataclass(frozen=True, slots=True)
class Findings:
    """What the verdict is drawn from: the parts of a card."""

    metric: str
    trained: bool
    scores: Sequence[Score]
    controls: Sequence[Contrast]
    leaks: Sequence[Leak] = ()
    biases: Sequence[Bias] = ()
    shortcuts: Sequence[Shortcut] = ()
    probes: Sequence[Probe] = ()
    faith: Sequence[Faith] = ()
    calibration: Sequence[Calibration] = ()


def verdict(found: Findings) -> tuple[str, ...]:
    """Return sentences, the most important first; of each test, whether the graph helps.

    That a graph makes a run *better* is said only if, with every number on the same examples: the run is ahead of what
    was trained without the graph, the interval of the difference does not hold 0, and the same is true of a graph whose
    facts were shuffled. A control that was only tested, not trained, shows that the run uses the graph, no more.
    """
    lines = [line for score in found.scores for line in _graph(found, score)]
    for part in (_leaks, _shortcuts, _biases, _probes, _faith, _calibration):
        lines += part(found)
    if found.trained:
        lines.append(
            "One run has one seed: how much training varies is not in these intervals. Run five (kgreason ablate)."
        )
    return tuple(lines)


def points(gap: Gap) -> str:
    """Return a difference in points, with its interval: `+2.1 [+1.2, +3.0]`."""
    return f"{100 * gap.value:+.1f} [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]"


def _graph(found: Findings, score: Score) -> Iterator[str]:
    mine = [c for c in found.controls if c.test == score.test]
    bare = _pick(mine, _WITHOUT)
    wrong = _pick(mine, _SHUFFLED)
    if score.low <= score.majority:
        yield (
            f"{score.test}: {_percent(score.value)} [{_percent(score.low)}, {_percent(score.high)}] is not told from "
            f"one answer to all ({_percent(score.majority)})."
        )
    if bare is None:
        yield f"{score.test}: whether the graph helps is not known: there is nothing without it to compare with."
    elif bare.how == "test-time":
        yield f"{score.test}: {_used(bare, wrong)}"
    else:
        yield f"{score.test}: {_helps(bare, wrong)}"


def _used(bare: Contrast, wrong: Contrast | None) -> str:
    """Tell of controls that were tested only."""
    if not bare.gap.is_told:
        gap = f"{_held(bare.gap)}{_on(bare)}"
        return f"no use of the graph can be told: the difference to {bare.name}, at test time, is {gap}."
    if bare.gap.value < 0:
        return f"the graph misleads it: {bare.name}, at test time, is ahead by {_by(bare.gap)} points{_on(bare)}."
    more = ""
    if wrong is not None and wrong.gap.is_told:
        more = f", and with its facts shuffled {_by(wrong.gap)}"
    elif wrong is not None:
        more = ", but with its facts shuffled nothing that can be told"
    return (
        f"the run uses the graph: {bare.name}, at test time, it loses {_by(bare.gap)} points{more}{_on(bare)}. Whether "
        "the same model trained without the graph would do as well is not known (--train)."
    )


def _helps(bare: Contrast, wrong: Contrast | None) -> str:
    """Tell of a control that was trained, or of a run that needs no training."""
    if not bare.gap.is_told:
        return (
            f"no difference to {bare.name} can be told: {_held(bare.gap)}. That is no proof that there is none: "
            f"{bare.gap.size} examples would show one of about {100 * _least(bare):.1f} points."
        )
    if bare.gap.value < 0:
        return f"worse than {bare.name} by {_by(bare.gap)} points{_on(bare)}."
    if wrong is None:
        why = "Whether it is its facts is not known: no run with shuffled facts stands beside it."
    elif not wrong.gap.is_told:
        why = (
            f"But no difference to {_called(wrong)} can be told: {_held(wrong.gap)}. The gain need not come from what "
            "the graph says."
        )
        return f"ahead of {bare.name} by {_by(bare.gap)} points{_on(bare)}. {why}"
    elif wrong.gap.value < 0:
        return f"ahead of {bare.name} by {_by(bare.gap)} points, but behind {wrong.name} by {_by(wrong.gap)}."
    elif wrong.how == "test-time":
        why = f"With its facts shuffled at test time it loses {_by(wrong.gap)}; trained on such facts, it is not known."
    else:
        why = f"{wrong.name} is behind by {_by(wrong.gap)}: the gain comes from what the graph says."
    return f"better than {bare.name} by {_by(bare.gap)} points{_on(bare)}. {why}"


def _on(control: Contrast) -> str:
    return f" ({control.gap.size} examples)"


def _called(control: Contrast) -> str:
    """Return a control's name, with what makes it weaker than it could be."""
    return control.name + (f" (at test time, {control.gap.size} examples)" if control.how == "test-time" else "")


def _by(gap: Gap) -> str:
    """Return how large a difference is, whichever way it goes: `2.1 [1.2, 3.0]`."""
    ends = sorted((abs(gap.low), abs(gap.high)))
    return f"{100 * abs(gap.value):.1f} [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]"


def _least(control: Contrast) -> float:
    """Return the difference that McNemar's test would tell with as many answers that differ; roughly, at 80 % power."""
    share = max((control.only_run + control.only_control) / control.gap.size, 1 / control.gap.size)
    return float(2.8 * (share / control.gap.size) ** 0.5)


def _held(gap: Gap) -> str:
    return f"{points(gap)} points, an interval that holds 0"


def _pick(controls: Sequence[Contrast], names: Sequence[str]) -> Contrast | None:
    """Return the first of some controls that was trained; else the first that was tested."""
    for fair in (True, False):
        found = {c.name: c for c in controls if (c.how != "test-time") == fair}
        for name in names:
            if name in found:
                return found[name]
    return None


def _leaks(found: Findings) -> Iterator[str]:
    for leak in found.leaks:
        if leak.serious and leak.seen.count:
            clean = leak.right_unseen
            yield (
                f"{leak.test}: {leak.kind}, {leak.seen.count} of {leak.seen.size} examples "
                f"({_percent(leak.seen.value)}). {leak.meaning}"
                + (
                    f" On the others: {_percent(clean.value)} [{_percent(clean.low)}, {_percent(clean.high)}]."
                    if clean.size
                    else ""
                )
            )


def _shortcuts(found: Findings) -> Iterator[str]:
    for s in found.shortcuts:
        if s.score.low > s.majority:
            yield (
                f"{s.test}: counting the words of the {s.part} alone reaches {_percent(s.score.value)} "
                f"[{_percent(s.score.low)}, {_percent(s.score.high)}], one answer to all {_percent(s.majority)}: "
                "part of the score needs no reasoning."
            )


def _biases(found: Findings) -> Iterator[str]:
    for test in dict.fromkeys(b.test for b in found.biases):
        far = [b for b in found.biases if b.test == test and b.gap.is_told and abs(b.gap.value) >= _FAR]
        for how, sign in (("too often", 1), ("too seldom", -1)):
            mine = sorted((b for b in far if b.gap.value * sign > 0), key=lambda b: -abs(b.gap.value))
            told = [f"'{b.label}' ({_percent(b.given)}, right for {_percent(b.gold)})" for b in mine[:_SHOWN]]
            more = f" and {len(mine) - _SHOWN} more labels" if len(mine) > _SHOWN else ""
            if mine:
                yield f"{test}: answered {how}: {', '.join(told)}{more}."


def _probes(found: Findings) -> Iterator[str]:
    for name in dict.fromkeys(p.name for p in found.probes):
        mine = [p for p in found.probes if p.name == name and p.wanted == "stay"]
        off = [p for p in mine if p.changed.low > _FLIPS / 2 and p.changed.value >= _FLIPS]
        if off:
            told = ", ".join(f"{p.test} {_percent(p.changed.value)}" for p in off)
            yield f"answers change with {name}, and none should: {told}."


def _faith(found: Findings) -> Iterator[str]:
    for f in found.faith:
        if f.removed.size and f.removed_random.size and f.removed.low <= f.removed_random.high:
            yield (
                f"{f.test}: explanations are not told from random ones: without what they name "
                f"{_percent(f.removed.value)} of the answers change, without as much else "
                f"{_percent(f.removed_random.value)} ({f.removed.size} and {f.removed_random.size} examples)."
            )


def _calibration(found: Findings) -> Iterator[str]:
    off = [c for c in found.calibration if c.ece >= _UNSURE]
    if off:
        told = ", ".join(f"{c.test} {100 * c.ece:.0f}" for c in off)
        yield f"confidence is off, in points on average (ECE): {told}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
