"""What the reasoner says about one example, and the walk that led to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module


@dataclass(frozen=True, slots=True)
class Look:
    """Something the decoder looked at in one cycle.

    Args:
        text: The words of the node, or "source —relation→ target" of an edge.
        weight: The share of the cycle's attention, in [0, 1].
        span: `(text, start, end)` in characters, or None for an entity.
    """

    text: str
    weight: float
    span: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """One turn of the decoder, told in words.

    Args:
        looks: What it looked at, the strongest first.
        answer: What the reasoner would have answered after this cycle.
        probability: Of every answer after this cycle.
        halt: The probability of stopping here; None if the decoder does not halt by itself.
        evidence: What the cycle found, in a few words ("guitar —co_hyponym→ piano"); may be empty.
    """

    looks: tuple[Look, ...]
    answer: str
    probability: dict[str, float]
    halt: float | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a proof by natural logic: an edit, and what it makes of the premise.

    Args:
        kind: What the edit does: `substitute`, `insert`, `delete`, `operator`, `reorder`.
        premise: The words it takes away; empty for an insertion.
        hypothesis: The words it puts there; empty for a deletion.
        relation: The likeliest relation between the two, as a symbol (`≡ ⊏ ⊐ ^ | ⌣ #`).
        probability: How sure that relation is.
        polarity: How their place projects them, in the premise and in the hypothesis: `↑`, `↓` or `=` (neither).
        projected: The likeliest relation between the sentences before and after the edit.
        state: How sure each relation is to hold between the premise and what the edits so far have made of it.
        reason: Why `relation` is what it is, in words; may be empty.
    """

    kind: str
    premise: str
    hypothesis: str
    relation: str
    probability: float
    polarity: tuple[str, str]
    projected: str
    state: Mapping[str, float]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one example.

    Args:
        uid: The `Example.uid`.
        answer: The best answer: a label, or the text of a choice.
        probability: Its probability.
        ranking: All answers with their probability, the best first; the best 100 where there are more.
        texts: The texts of the example, in reading order (what `Look.span` counts in).
        path: Facts used, as (head, relation, tail); each stands in the grounded graph.
        trace: The walk, cycle by cycle.
        paths: For each answer of a walk over the knowledge graph, the facts that carried the most score to it, from a
            seed entity on.
        proof: The steps of a proof by natural logic, in the order in which they were made.
        gate: How much the proof counted beside what was learned, in [0, 1]; None if there were not both.
        notes: What is to be said of the answer, such as why it is not sure.
    """

    uid: str
    answer: str
    probability: float
    ranking: tuple[tuple[str, float], ...]
    texts: tuple[str, ...] = ()
    path: tuple[tuple[str, str, str], ...] = ()
    trace: tuple[Cycle, ...] = field(default=())
    paths: Mapping[str, tuple[tuple[str, str, str], ...]] = field(default_factory=dict)
    proof: tuple[Step, ...] = ()
    gate: float | None = None
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """Draw the trace in a notebook. Looked up by name: nouns do not depend on how they are drawn."""
        drawn: str = import_module("kgreason.explain").to_html(self)
        return drawn
