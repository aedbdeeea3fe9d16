"""What is written down of each test example beside its answer, so that results can be cut into slices later."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from kgreason.collate import Prepared
from kgreason.data import ALIGN_RELATIONS, EdgeType, Example
from kgreason.data.operators import Shape, find_operators
from kgreason.tasks.groups import group_fields

#: A word; a number keeps its commas; "n't" and "%" are words of their own, as parsers cut them.
_WORD = re.compile(r"n't|'(?:s|re|ve|ll|d|m)\b|\d[\d,.]*\d|(?:(?!n't)\w)+(?:-\w+)*|%")
#: Operators of these kinds stand in nearly every sentence, and tell nothing of it.
_COMMON = {Shape.INDEFINITE, Shape.CONNECTIVE}
#: What an alignment says that no graph needs to know.
_SAID = np.array([ALIGN_RELATIONS.id("same"), ALIGN_RELATIONS.id("other")])


def features(examples: Sequence[Example], prepared: Sequence[Prepared]) -> list[dict[str, Any]]:
    """Return, for each example, `words`, `operators`, `linked` and `facts`.

    `words` counts those of all texts, `operators` names the quantifiers, negations, modals and the like that stand in
    them (articles, numbers and conjunctions left out), `linked` counts the entities that were found in the texts, and
    `facts` the edges that come from the knowledge graph, alignments by a relation of it included. A walk over the whole
    graph brings no facts into the example, so `facts` is then 0. Where examples share their first text, `group` names
    those that belong together.

    Args:
        examples: As the task drew them.
        prepared: The same, as they went into the reasoner.
    """
    groups = group_fields(examples)
    return [_of(e, ready) | group for e, ready, group in zip(examples, prepared, groups, strict=True)]


def operators_of(text: str) -> list[str]:
    """Return the names of the operators of a text, each once, in the order in which they stand.

    >>> operators_of("No dog didn't bark at 3 cats.")
    ['no', 'not']
    """
    found = find_operators(words_of(text))
    return list(dict.fromkeys(m.operators[0].name for m in found if m.operators[0].shape not in _COMMON))


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without a parser.

    >>> words_of("He can't see 1,000 well-known dogs.")
    ['he', 'ca', "n't", 'see', '1,000', 'well-known', 'dogs']
    """
    return _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def _of(example: Example, ready: Prepared) -> dict[str, Any]:
    link = ready.edge_index[:, ready.edge_kind == EdgeType.LINK]
    entity = ready.node_entity[np.unique(link)]
    aligned = (ready.edge_kind == EdgeType.ALIGN) & ~np.isin(ready.edge_relation, _SAID)
    known = int(((ready.edge_kind == EdgeType.KNOWLEDGE) | aligned).sum())
    operators = dict.fromkeys(name for text in example.texts for name in operators_of(text))
    return {
        "words": sum(len(words_of(text)) for text in example.texts),
        "operators": list(operators),
        "linked": len(np.unique(entity[entity >= 0])),
        "facts": known,
    }
