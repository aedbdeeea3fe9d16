"""Does the gain of a graph come from its facts? Told where an ablation has the rows that it takes to know."""

from collections.abc import Iterator, Mapping
from typing import Any

from kgreason.experiment.answered import METRICS, Answered, compare, labels_in
from kgreason.statistics import Compared, facts_told, holm

#: Modes of `perturb` that leave a graph with as many facts, and wrong ones.
_WRONG = ("tails", "relations", "rewire")


def claims(variants: Mapping[str, Mapping[str, Any]], there: Mapping[str, Answered]) -> dict[str, str]:
    """Return a sentence for each row with wrong facts, where there are also a row without a graph and one with it.

    Args:
        variants: Row to what it changes; the first that changes nothing is the one with the graph.
        there: The rows' answers to one test.
    """
    graph = next((row for row, changes in variants.items() if not changes and row in there), None)
    none = next((row for row, changes in variants.items() if row in there and without_graph(changes)), None)
    spoilt = [row for row, changes in variants.items() if row in there and wrong_facts(changes)]
    if graph is None or none is None or not spoilt:
        return {}
    metric = next((m for m in METRICS if m in there[graph].scores[0]), "")
    over = _compared(there, metric, [(row, none) for row in (graph, *spoilt)])
    apart = _compared(there, metric, [(graph, row) for row in spoilt])
    if (graph, none) not in over:
        return {}
    pairs = [(row, over.get((row, none)), apart.get((graph, row))) for row in spoilt]
    return {row: facts_told(over[graph, none], a, b) for row, a, b in pairs if a and b}


def without_graph(changes: Mapping[str, Any]) -> bool:
    """Return whether a row's changes take the graph away."""
    return any(name == "nothing" for place, name, _ in _choices(changes) if place == "ground")


def wrong_facts(changes: Mapping[str, Any]) -> bool:
    """Return whether a row's changes leave a graph of the same size whose facts are wrong."""
    return any(
        name == "perturb" and table.get("mode", "tails") in _WRONG
        for place, name, table in _choices(changes)
        if place in ("ground", "knowledge")
    )


def _choices(changes: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the place, the name and the arguments of each choice that dotted keys make."""
    for key, value in changes.items():
        place, _, last = key.partition(".")
        if not last and isinstance(value, Mapping):
            yield place, str(value.get("name", "")), value
        elif last == "name":
            arguments = {k.partition(".")[2]: v for k, v in changes.items() if k.startswith(f"{place}.")}
            yield place, str(value), arguments


def _compared(
    there: Mapping[str, Answered], metric: str, pairs: list[tuple[str, str]]
) -> dict[tuple[str, str], Compared]:
    labels, found = labels_in(there.values()), {}
    for one, other in pairs:
        d = compare(there[one], there[other], metric, labels)
        if d is not None:
            found[one, other] = d
    corrected = holm([d.p for d in found.values()])
    return {
        (one, other): Compared(one, other, metric, d, p)
        for ((one, other), d), p in zip(found.items(), corrected, strict=True)
    }
