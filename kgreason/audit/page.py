"""A card as sections of a page."""

from kgreason.audit.card import Card
from kgreason.audit.tables import Table, lines, tables
from kgreason.explain import Section, note, paragraph, table


def sections(card: Card) -> list[Section]:
    """Return a card as sections for `kgreason.explain.page`: finished markup, all texts escaped, all slices shown."""
    title, *more = lines(card)
    made = [_section(part) for part in tables(card, most=0)]
    first = made[0]
    return [Section(f"Audit: {title}", "".join(map(note, more)) + first.body), *made[1:]]


def _section(part: Table) -> Section:
    shown = table(part.columns, part.rows) if part.rows else ""
    told = note if part.rows else paragraph
    return Section(part.heading, shown + "".join(map(told, part.notes)), part.lead)
