"""The audit of a run as tables of a report."""

from kgreason.audit.card import Card, read_card
from kgreason.audit.parts import Contrast, Gap, Rate, Score
from kgreason.errors import StoreError
from kgreason.explain import Estimate, Quantity
from kgreason.report.result import Study
from kgreason.report.tables import Table


def cards(study: Study) -> tuple[dict[str, Card], list[str]]:
    """Return the card of each run that was audited, by variant and seed, and what is wrong with those not read."""
    found: dict[str, Card] = {}
    problems: list[str] = []
    for name, runs in study.variants.items():
        for seed, run in sorted(runs.items()):
            try:
                card = read_card(run.folder)
            except StoreError as error:
                problems.append(str(error))
                continue
            if card is not None:
                found[f"{name}, seed {seed}"] = card
    return found, problems


def tables(label: str, card: Card) -> list[Table]:
    """Return a card as tables; a part that holds nothing is left out."""
    made = [_scores(card), _controls(card), _leaks(card), _shortcuts(card), _probes(card), _faith(card), _skipped(card)]
    return [Table(f"{name}: {label}", columns, rows, caption) for name, columns, rows, caption in made if rows]


_Part = tuple[str, list[str], list[list[object]], str]


def _share(rate: Rate) -> Estimate | None:
    return Estimate(rate.value, min(rate.low, rate.value), max(rate.high, rate.value)) if rate.size else None


def _points(gap: Gap) -> Quantity:
    return Quantity.points(gap.value, gap.low, gap.high)


def _score(score: Score) -> Estimate:
    return Estimate(score.value, min(score.low, score.value), max(score.high, score.value))


def _table(c: Contrast) -> tuple[int, int, int, int]:
    return c.only_run, c.only_control, c.both, c.neither


def _percent(share: float | None) -> Quantity | None:
    return None if share is None else Quantity(share, f"{100 * share:.1f} %")


def _scores(card: Card) -> _Part:
    rows: list[list[object]] = [
        [s.test, s.size, _score(s), _percent(s.majority), _percent(s.ceiling), _percent(s.coverage)]
        for s in card.scores
    ]
    columns = ["test", "examples", "score", "one answer to all", "ceiling", "answers reached"]
    return "audit, score", columns, rows, "Ceiling: what a perfect reasoner would reach with the facts there are."


def _controls(card: Card) -> _Part:
    rows: list[list[object]] = [
        [c.name, c.question, c.how, c.test, _percent(c.run), _percent(c.control), _points(c.gap), *_table(c)]
        for c in card.controls
    ]
    columns = ["control", "what it asks", "how", "test", "run", "control", "lost by it"]
    columns += ["run alone right", "control alone right", "both", "neither"]
    return "audit, controls", columns, rows, "Lost: the run's score less the control's, in points, paired."


def _leaks(card: Card) -> _Part:
    rows: list[list[object]] = [
        [leak.kind, leak.test, _share(leak.seen), _share(leak.right_seen), _share(leak.right_unseen), leak.meaning]
        for leak in card.leaks
    ]
    return "audit, leaks", ["what", "test", "concerned", "right of these", "right of others", "meaning"], rows, ""


def _shortcuts(card: Card) -> _Part:
    rows: list[list[object]] = [
        [s.part, s.test, _share(s.score), _percent(s.majority), _percent(s.run), s.fitted] for s in card.shortcuts
    ]
    columns = ["part of the input", "test", "counting its words", "one answer to all", "the run", "fitted on"]
    return "audit, shortcuts", columns, rows, "What counting words in a part of the input reaches."


def _probes(card: Card) -> _Part:
    rows: list[list[object]] = [
        [p.name, p.test, p.wanted, _share(p.changed), _percent(p.before), _percent(p.after)] for p in card.probes
    ]
    columns = ["changed", "test", "answers should", "answers that changed", "score before", "score after"]
    return "audit, probes", columns, rows, ""


def _faith(card: Card) -> _Part:
    rows: list[list[object]] = [
        [f.what, f.test, _share(f.removed), _share(f.removed_random), _share(f.kept), _share(f.kept_random)]
        for f in card.faith
    ]
    columns = ["explanation", "test", "changed without it", "changed without others", "stayed with it alone"]
    return "audit, explanations", [*columns, "stayed with others alone"], rows, ""


def _skipped(card: Card) -> _Part:
    rows: list[list[object]] = [[skip.part, skip.why] for skip in card.skipped]
    return "audit, left out", ["part", "why"], rows, ""
