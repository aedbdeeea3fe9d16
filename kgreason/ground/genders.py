"""What is known of people's gender: from their names, and from what they are called."""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import final

from kgreason.ground.told import Told
from kgreason.places import shipped

#: How sure a name in the table makes; people of the other gender bear it, too.
_KNOWN = 0.98
#: How many names an ending needs before it counts as much as what shorter endings say.
_PRIOR = 3.0
#: What being called a sister counts, as log odds.
_CALLED = 2.0


@final
class FirstNames:
    """A table of first names; a name that is not in it is judged by its last one to four letters.

    >>> FirstNames({"Anna": "f", "Hanna": "f", "Otto": "m"}).female("Johanna") > 0.8
    True
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = {name.lower(): gender for name, gender in table.items()}
        self._endings: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for name, gender in self._table.items():
            for ending in _endings(name):
                self._endings[ending][gender == "f"] += 1

    def of(self, gender: str) -> list[str]:
        """Return the names of a gender in the table, in lower case."""
        return [name for name, known in self._table.items() if known == gender]

    def female(self, name: str, hidden: bool = False) -> float:
        """Return how sure it is that someone of this name is female; 0.5 if nothing is known.

        Args:
            name: The name.
            hidden: Judge it as if it were not in the table.
        """
        known = self._table.get(name.lower(), "")
        if known and not hidden:
            return _KNOWN if known == "f" else 1 - _KNOWN
        sure = 0.5
        for ending in _endings(name.lower()):
            male, female = self._endings.get(ending, (0, 0))
            male, female = male - (known == "m"), female - (known == "f")
            sure = (female + _PRIOR * sure) / (male + female + _PRIOR)
        return sure


def _endings(name: str) -> list[str]:
    return ["^" * (len(name) < k) + name[-k:] for k in range(1, 5)]


@lru_cache(1)
def first_names() -> FirstNames:
    """Read the table that ships with the graphs."""
    lines = (shipped("graphs") / "first-names.tsv").read_text("utf-8").splitlines()[1:]
    return FirstNames(dict(line.split("\t") for line in lines if line))


def log_odds(name: str, hidden: bool = False) -> float:
    """Return the log odds that someone of this name is female; see `FirstNames.female`."""
    sure = first_names().female(name, hidden)
    return math.log(sure / (1 - sure))


def genders(told: Told, hidden: Collection[str] = ()) -> dict[str, float]:
    """Return for everyone how sure it is that she is female: her name, and what she is called where she is named.

    Args:
        told: The story.
        hidden: Names to judge as if they were in no table.
    """
    found = {name: log_odds(name, name in hidden) for name in told.names}
    for at, kin in told.kin:
        for place, name in told.mentions:
            beside = place == at + 1 or (place == at + 2 and told.words[at + 1] in (",", ":"))
            if beside and kin.gender:
                found[name] += _CALLED if kin.gender == "f" else -_CALLED
    return {name: 1 / (1 + math.exp(-odds)) for name, odds in found.items()}
