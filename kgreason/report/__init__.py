"""What was run, as pages, tables and sentences."""

from kgreason.report.finding import gather
from kgreason.report.result import Result, Study
from kgreason.report.writing import write

__all__ = ["Result", "Study", "gather", "write"]
