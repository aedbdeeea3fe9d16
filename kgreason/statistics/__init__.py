"""Is one variant better than another, by how much, and could this test have shown it? Numbers in, numbers out."""

from kgreason.statistics.answers import Answers, Metric
from kgreason.statistics.bootstrap import Difference, difference
from kgreason.statistics.correction import holm
from kgreason.statistics.means import mean_interval
from kgreason.statistics.paired import mcnemar

__all__ = ["Answers", "Difference", "Metric", "difference", "holm", "mcnemar", "mean_interval"]
