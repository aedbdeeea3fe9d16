"""What the owner of a graph says about its use: which relations are walked, and what they mean for words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from kgreason.errors import ConfigError

#: What a relation of a graph may say of two words, first to second: a dog is an animal (`forward`). The first five are
#: relations of natural logic; `opposite` leaves open whether one of the two must hold, `near` leads from a quality to
#: its neighbours on a scale and `attribute` to the scale, `part` to the whole and `whole` to a part.
LEXICAL = (
    *("equivalence", "forward", "reverse", "negation", "alternation"),
    *("opposite", "near", "attribute", "part", "whole", "related"),
)


@final
@dataclass(frozen=True, slots=True)
class Rules:
    """How a graph is meant to be used; by default, everything is walked and nothing is said of words.

    Args:
        lexical: The name of a relation to what it says of the words for its head and its tail: one of `LEXICAL`. Empty:
            the usual names are known (`kgreason.ground.sense_graph.MAPPING`).
        only: The names of the relations to walk; empty for all.
        stop: The names of relations that are not walked.
        hub_limit: An entity with more facts than this in one relation and direction is not left that way, though it may
            be reached; 0 for any number.

    Raises:
        ConfigError: If a lexical relation is none of these, or the limit is negative.
    """

    lexical: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    hub_limit: int = 0

    def __post_init__(self) -> None:
        for name, says in self.lexical.items():
            if says not in LEXICAL:
                raise ConfigError(f"[lexical] '{name}' = '{says}' is none of: {', '.join(LEXICAL)}.")
        if self.hub_limit < 0:
            raise ConfigError(f"[walk] hub_limit = {self.hub_limit}; expected a number of facts, or 0 for no limit.")

    @property
    def by_meaning(self) -> dict[str, tuple[str, ...]]:
        """The relations that say each thing of words; empty if nothing is said."""
        found: dict[str, tuple[str, ...]] = {}
        for name, says in self.lexical.items():
            found[says] = (*found.get(says, ()), name)
        return found

    @property
    def limits_walks(self) -> bool:
        """Whether some facts are not walked."""
        return bool(self.only or self.stop or self.hub_limit)
