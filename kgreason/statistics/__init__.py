"""Is one variant better than another, by how much, and could this test have shown it? Numbers in, numbers out."""

from kgreason.statistics.answers import Answers, Metric, Outcome, Values
from kgreason.statistics.bootstrap import Resampled, interval, resample
from kgreason.statistics.compare import ALPHA, Difference, Verdict, difference
from kgreason.statistics.correction import holm
from kgreason.statistics.effect import cliff, odds, wins
from kgreason.statistics.means import corrected_interval, deviation, mean_interval
from kgreason.statistics.order import almost_order, violation
from kgreason.statistics.paired import mcnemar, permutation, sign_test
from kgreason.statistics.power import detectable, needed
from kgreason.statistics.tally import Tally, tally
from kgreason.statistics.words import Compared, facts_told, told

__all__ = [
    "ALPHA",
    "Answers",
    "Compared",
    "Difference",
    "Metric",
    "Outcome",
    "Resampled",
    "Tally",
    "Values",
    "Verdict",
    "almost_order",
    "cliff",
    "corrected_interval",
    "detectable",
    "deviation",
    "difference",
    "facts_told",
    "holm",
    "interval",
    "mcnemar",
    "mean_interval",
    "needed",
    "odds",
    "permutation",
    "resample",
    "sign_test",
    "tally",
    "told",
    "violation",
    "wins",
]
