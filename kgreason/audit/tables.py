"""A card as tables of text: what the terminal and a page show of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from kgreason.audit.card import Card
from kgreason.audit.contrasts import NEEDED
from kgreason.audit.parts import Bin, Rate, Slice
from kgreason.audit.verdict import points

#: Characters of an example that are shown, and names of parts that were left out for one reason.
_CUT, _NAMED = 100, 8


@final
@dataclass(frozen=True, slots=True)
class Table:
    """One part of a card.

    Args:
        heading: Its name.
        lead: How to read it, in a sentence.
        columns: The headings; none for a part that is lines alone.
        rows: Cells of text, as many as there are columns.
        notes: Lines under it: examples, mostly.
    """

    heading: str
    lead: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def tables(card: Card, most: int = 12) -> list[Table]:
    """Return the parts of a card in the order in which they are read; a part that holds nothing is left out.

    Args:
        card: The card.
        most: So many slices of each test are shown: those that stand out, then the weakest. 0 for all.
    """
    made = (
        Table("Verdict", "", (), (), card.verdict),
        _scores(card),
        _controls(card),
        _two_by_two(card),
        _leaks(card),
        _shortcuts(card),
        _biases(card),
        _probes(card),
        _faith(card),
        _calibration(card),
        _slices(card, most),
        _cost(card),
        Table("Not in this card", "", (), (), tuple(f"{_listed(skip.part)}: {skip.why}" for skip in card.skipped)),
    )
    return [table for table in made if table.rows or table.notes]


def _scores(card: Card) -> Table:
    rows = tuple(
        (
            s.test,
            s.metric,
            f"{_percent(s.value)} [{_percent(s.low)}, {_percent(s.high)}]",
            f"{s.size}",
            _percent(s.majority),
            _maybe(s.ceiling),
            _maybe(s.coverage),
        )
        for s in card.scores
    )
    lead = (
        "Percent, with the 95 % interval over the examples. One answer to all: the most frequent one. Ceiling: the "
        "right relations, followed in the graph as it is. Reached: questions of which a right answer was touched."
    )
    return Table("Score", lead, ("test", "metric", "score", "size", "one answer", "ceiling", "reached"), rows)


def _controls(card: Card) -> Table:
    asked = {c.name: c.question for c in card.controls}
    rows = tuple(
        (
            c.test,
            c.name,
            c.how,
            _percent(c.run),
            _percent(c.control),
            points(c.gap) + ("" if c.gap.is_told else "  holds 0"),
            f"{c.gap.size}",
        )
        for test in (s.test for s in card.scores)
        for c in card.controls
        if c.test == test
    )
    lead = (
        "The run less the control, in points, on the same examples; the 95 % interval is for pairs. Trained: the "
        "control was trained so, or nothing is trained; test-time: the run's weights met it in the test alone."
    )
    columns = ("test", "control", "how", "run", "its score", "run − control", "size")
    return Table("Controls", lead, columns, rows, tuple(f"{name}: {question}" for name, question in asked.items()))


def _two_by_two(card: Card) -> Table:
    rows = tuple(
        (c.test, f"{c.name} ({c.how})", f"{c.both}", f"{c.only_run}", f"{c.only_control}", f"{c.neither}")
        for c in card.controls
        if c.name in NEEDED
    )
    lead = "How many examples are right with the graph and without it. A graph may mend some answers and spoil others."
    return Table("With and without", lead, ("test", "without", "both", "only with", "only without", "neither"), rows)


def _leaks(card: Card) -> Table:
    rows = tuple(
        (
            leak.test,
            leak.kind + (" !" if leak.serious and leak.seen.count else ""),
            f"{leak.seen.count} of {leak.seen.size}",
            _rate(leak.right_seen),
            _rate(leak.right_unseen),
        )
        for leak in card.leaks
    )
    notes = tuple(
        f"{leak.test}, {leak.kind}: “{_short(asked)}” ← “{_short(found)}”"
        for leak in card.leaks
        if leak.serious
        for asked, found in leak.examples[:1]
    )
    meanings = tuple(f"{kind}: {meaning}" for kind, meaning in {k.kind: k.meaning for k in card.leaks}.items())
    lead = (
        "What of the test was there before, and how many are right among those and among the others. ! should not be."
    )
    return Table(
        "Leakage", lead, ("test", "what", "examples", "right of these", "right of others"), rows, meanings + notes
    )


def _shortcuts(card: Card) -> Table:
    rows = tuple(
        (s.test, s.part, _rate(s.score), _percent(s.majority), _percent(s.run), f"{s.score.size}", s.fitted)
        for s in card.shortcuts
    )
    lead = "What counting the words of a part of the input reaches: what the data give away without reasoning."
    return Table("Words alone", lead, ("test", "part", "words alone", "one answer", "run", "size", "fitted on"), rows)


def _biases(card: Card) -> Table:
    rows = tuple((b.test, b.label, _percent(b.gold), _percent(b.given), points(b.gap)) for b in card.biases)
    return Table(
        "Labels", "How often each is right, and is given.", ("test", "label", "right", "given", "given − right"), rows
    )


def _probes(card: Card) -> Table:
    wanted = {"stay": "none should", "fall": "many should", "either": ""}
    rows = tuple(
        (
            p.test,
            p.name,
            f"{p.changed.size}",
            _rate(p.changed),
            wanted[p.wanted],
            f"{_percent(p.before)} → {_percent(p.after)}",
        )
        for test in (s.test for s in card.scores)
        for p in card.probes
        if p.test == test
    )
    notes = tuple(
        f"{p.test}, {p.name}: “{_short(text)}” {before} → {after}"
        for p in card.probes
        for text, before, after in p.examples[:1]
    )
    lead = (
        "Answers that change when the text is changed a little, of the examples in which there is something to change."
    )
    return Table("Sensitivity", lead, ("test", "change", "size", "answers changed", "", "score"), rows, notes)


def _faith(card: Card) -> Table:
    rows = tuple(
        row
        for f in card.faith
        for row in (
            (
                f.test,
                f"{f.what}: taken out",
                "changes",
                _rate(f.removed),
                _rate(f.removed_random),
                f"{f.drop:+.3f} | {f.drop_random:+.3f}",
            ),
            (f.test, f"{f.what}: nothing else left", "stays", _rate(f.kept), _rate(f.kept_random), ""),
        )
    )
    notes = tuple(
        f"{f.test}: {f.size:.1f} on average in an explanation; {f.without} examples have none."
        + "".join(f" Without “{_short(told)}”: {before} → {after}." for told, before, after in f.examples[:1])
        for f in card.faith
    )
    lead = (
        "Does the answer rest on what its explanation names? More is better, beside as many taken or left at random. "
        "The last column: by how much the probability of the answer falls."
    )
    return Table("Explanations", lead, ("test", "what", "the answer", "named", "at random", "Δp"), rows, notes)


def _calibration(card: Card) -> Table:
    rows = tuple(
        (c.test, f"{c.ece:.3f}", f"{c.brier:.3f}", _percent(c.confidence), _percent(_mean(c.bins)))
        for c in card.calibration
    )
    notes = tuple(
        f"{c.test}: sure → right: "
        + ", ".join(f"{_percent(b.confidence)} → {_percent(b.right.value)} ({b.right.size})" for b in c.bins)
        for c in card.calibration
    )
    lead = "Is an answer that is 80 % sure right in 80 % of the cases? ECE in 15 bins; Brier of the answer given."
    return Table("Calibration", lead, ("test", "ECE", "Brier", "mean confidence", "right"), rows, notes)


def _mean(bins: Sequence[Bin]) -> float:
    return sum(b.right.count for b in bins) / max(1, sum(b.right.size for b in bins))


def _slices(card: Card, most: int) -> Table:
    rows = tuple(
        (s.test, s.kind, s.name, _rate(s.right), f"{s.right.size}", "differs" if s.stands_out else "")
        for test in (s.test for s in card.scores)
        for s in _chosen([s for s in card.slices if s.test == test], most)
    )
    lead = "Right on parts of each test; differs: from the rest of the test, after Holm's correction."
    if most:
        lead += f" At most {most} of each test, those that differ and the weakest; all stand in audit.json."
    return Table("Slices", lead, ("test", "by", "part", "right", "size", ""), rows)


def _chosen(found: Sequence[Slice], most: int) -> Sequence[Slice]:
    if not most or len(found) <= most:
        return found
    kept = set(sorted(range(len(found)), key=lambda i: (not found[i].stands_out, found[i].right.value, i))[:most])
    return [s for i, s in enumerate(found) if i in kept]


def _cost(card: Card) -> Table:
    named = {
        "seconds": ("run, seconds by the clock", "{:,.0f}"),
        "cpu_seconds": ("run, seconds of the processor", "{:,.0f}"),
        "peak_memory_mb": ("run, memory at its peak, MiB", "{:,.0f}"),
        "trainable": ("numbers that were trained" if card.trained else "numbers that could be trained", "{:,.0f}"),
        "audit_seconds": ("this audit, seconds by the clock", "{:,.0f}"),
    }
    rows = tuple((name, form.format(card.cost[key])) for key, (name, form) in named.items() if key in card.cost)
    return Table("Cost", "", ("what", "how much"), rows)


def _rate(found: Rate) -> str:
    return f"{_percent(found.value)} [{_percent(found.low)}, {_percent(found.high)}]" if found.size else "–"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _maybe(share: float | None) -> str:
    return "–" if share is None else _percent(share)


def _listed(parts: str) -> str:
    names = parts.split("; ")
    return parts if len(names) <= _NAMED else "; ".join(names[:_NAMED]) + f" and {len(names) - _NAMED} more"


def _short(text: str) -> str:
    return text if len(text) <= _CUT else text[: _CUT - 1] + "…"


def lines(card: Card) -> Iterator[str]:
    """Return what stands above the tables: what was audited, and how."""
    some = f"at most {card.limit} examples of each test" if card.limit else "all examples"
    yield f"{card.title}"
    yield f"{card.run} · {card.task} · seed of the probes {card.seed} · {some} where answers were computed anew"
