"""What was run, as pages, tables and sentences."""

from kgreason.report.gather import gather
from kgreason.report.result import Result, Study
from kgreason.report.write import write

__all__ = ["Result", "Study", "gather", "write"]
