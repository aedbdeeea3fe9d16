"""Does an explanation name what the answer rests on? It is taken out, and nothing else is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy import ndarray

from kgreason.audit.intervals import rate
from kgreason.audit.named import Named, named_facts, named_steps
from kgreason.audit.parts import Faith, Skip
from kgreason.audit.subject import NOTHING, Row, Subject, chance
from kgreason.audit.walking import WALKING, ask_walks, walks
from kgreason.data import Example
from kgreason.errors import KgreasonError
from kgreason.pipeline import Pipeline
from kgreason.tasks import Split

_EXAMPLES = 3
#: What is done to each example: everything as it was, without what is named, without as much else, …
CASES = ("removed", "removed_random", "kept", "kept_random")
#: What was answered in a case, of the examples to which it could be done: place of the example to row.
Asked: TypeAlias = Mapping[str, Mapping[int, Row]]


@final
@dataclass(frozen=True, slots=True)
class Explained:
    """Examples with what their explanations name, and what was answered without it.

    Args:
        what: What an explanation consists of.
        told: What each names, in words; empty if nothing.
        size: How much each names.
        before: The row of each as it was.
        asked: For each case, the rows of those it could be done to.
    """

    what: str
    told: Sequence[str]
    size: Sequence[int]
    before: Sequence[Row]
    asked: Asked


def faith(subject: Subject, test: str, sample: tuple[Split, Sequence[Row]], seed: int) -> Faith | Skip:
    r"""Take what explanations name out of the graph, then leave nothing else, and ask again; beside random choices.

    With $f$ what an explanation names and $G$ all facts, an answer $a$ and its probability $p$:

    - comprehensiveness: how often $a$ changes on $G \setminus f$, and $p(a \mid G) - p(a \mid G \setminus f)$;
    - sufficiency: how often $a$ stays on $f$ alone;
    - the same with as many random facts that are not in $f$, of the same example.

    Of a walk over the graph, facts are those of its path, and random ones touch the entities of the path. Of a graph of
    a text, facts are its edges that come from the knowledge graph. Of a proof, they are its steps. Where an example has
    no other facts, there is nothing random to take out, and it does not count in that rate.

    Args:
        subject: The run.
        test: What the test is called.
        sample: Examples, and the run's rows of them.
        seed: Of the random choices.

    Reference:
        DeYoung et al. (2020, ERASER, arXiv:1911.03429), section 4, for both; random removals of the same size as
        SalKG and others ask for.
    """
    split, rows = sample
    try:
        found = _walked(subject, split, rows, seed) if walks(subject.reasoner) else _read(subject, split, rows, seed)
    except KgreasonError as error:
        return Skip(f"explanations: {test}", f"it could not be done: {error}")
    if found is None:
        return Skip(f"explanations: {test}", "no explanation names a fact: there is nothing to take out.")
    return _counted(test, found)


def _walked(subject: Subject, split: Split, rows: Sequence[Row], seed: int) -> Explained | None:
    told, size, asked = ask_walks(subject, split, seed)
    return Explained(WALKING, told, size, rows, asked) if any(told) else None


def _read(subject: Subject, split: Split, rows: Sequence[Row], seed: int) -> Explained | None:
    graphs = subject.graphs(split.examples)
    if any(len(graph.edits) for graph in graphs):
        what, named = "proof steps", [named_steps(graph, row) for graph, row in zip(graphs, rows, strict=True)]
    else:
        what = "facts in the graph of the text"
        front = subject.front
        line = Pipeline(
            front.task, front.parse, front.knowledge, front.ground, front.collate, subject.reasoner, subject.device
        )
        predictions = line.predict(split.examples, front.train.batch_size)
        named = [named_facts(g, p, front.knowledge) for g, p in zip(graphs, predictions, strict=True)]
    if not any(len(one.named) for one in named):
        return None
    asked = {case: _ask(subject, split.examples, named, case, seed) for case in CASES}
    told = [one.told if len(one.named) else "" for one in named]
    return Explained(what, told, [len(one.named) for one in named], rows, asked)


def _ask(subject: Subject, examples: Sequence[Example], named: Sequence[Named], case: str, seed: int) -> dict[int, Row]:
    chosen = [(i, out) for i, one in enumerate(named) if (out := _gone(one, case, (seed, i))) is not None]
    if not chosen:
        return {}
    rows = subject.answer([examples[i] for i, _ in chosen], [named[i].without(out) for i, out in chosen])
    return {i: row for (i, _), row in zip(chosen, rows, strict=True)}


def _gone(one: Named, case: str, seed: tuple[int, int]) -> ndarray | None:
    """Return what is taken out in a case; None where that is nothing, or there is not enough to draw from."""
    many = len(one.named)
    if not many:
        return None
    if not case.endswith("random"):
        out = one.named if case == "removed" else one.others
        return out if len(out) else None
    if len(one.others) < many:
        return None
    drawn = np.random.default_rng(seed).choice(one.others, many, replace=False)
    return drawn if case == "removed_random" else np.concatenate([one.named, np.setdiff1d(one.others, drawn)])


def _counted(test: str, found: Explained) -> Faith:
    has = [i for i, told in enumerate(found.told) if told]
    rates, drops = {}, {}
    for case in CASES:
        asked = found.asked[case]
        changed = {i: row["answer"] != found.before[i]["answer"] for i, row in asked.items()}
        many = sum(changed.values())
        rates[case] = rate(many if case.startswith("removed") else len(asked) - many, len(asked))
        fell = [chance(found.before[i], found.before[i]) - chance(row, found.before[i]) for i, row in asked.items()]
        drops[case] = float(np.mean(fell)) if fell else 0.0
    shown = [
        (found.told[i], str(found.before[i]["answer"]) or NOTHING, str(row["answer"]) or NOTHING)
        for i, row in found.asked["removed"].items()
        if row["answer"] != found.before[i]["answer"]
    ]
    return Faith(
        test=test,
        what=found.what,
        **rates,
        drop=drops["removed"],
        drop_random=drops["removed_random"],
        size=float(np.mean([found.size[i] for i in has])),
        without=len(found.told) - len(has),
        examples=tuple(shown[:_EXAMPLES]),
    )
