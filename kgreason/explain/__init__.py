"""Explain: show a prediction, cycle by cycle, and the results of an experiment, as HTML that works offline.

Everything returned here is finished markup: texts are escaped, nothing is fetched, no script is needed to read it.
"""

from kgreason.explain.charts import Bin, cost, courses, reliability
from kgreason.explain.estimate import Estimate, Quantity
from kgreason.explain.forest import Kind, Mark, forest, parts
from kgreason.explain.markup import Section, escape, note, page, paragraph, table
from kgreason.explain.plot import bars, confusion, curves
from kgreason.explain.trace import to_html

__all__ = [
    "Bin",
    "Estimate",
    "Kind",
    "Mark",
    "Quantity",
    "Section",
    "bars",
    "confusion",
    "cost",
    "courses",
    "curves",
    "escape",
    "forest",
    "note",
    "page",
    "paragraph",
    "parts",
    "reliability",
    "table",
    "to_html",
]
