"""The audits of runs as tables of a report."""

from kgreason.audit.card import Card, read_card
from kgreason.audit.tables import tables as tables_of
from kgreason.errors import StoreError
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
    """Return a card as tables, its sentences left out; a part that holds nothing is left out, too."""
    return [
        Table(f"audit, {part.heading}: {label}", part.columns, part.rows, " ".join((part.lead, *part.notes)).strip())
        for part in tables_of(card, most=0)
        if part.rows
    ]
