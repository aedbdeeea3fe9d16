"""Pairs that a reasoner makes for itself: a sentence, the same with one word exchanged, and what it can prove."""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, final

from kgreason.data import UPOS, Example, LogicGraph, NodeType
from kgreason.errors import ConfigError, DataError
from kgreason.tasks.frames_english import article
from kgreason.tasks.keys import check_keys
from kgreason.tasks.split import Split, ToExample
from kgreason.tasks.substitutes import Substitutes

_EXCHANGED: Final = frozenset({"NOUN", "VERB", "ADJ", "NUM", "ADV"})
#: So many words of a sentence are exchanged, each in a pair of its own.
_EACH: Final = 3
_TOGETHER: Final = 256

Parse = Callable[[Sequence[Example]], Sequence[LogicGraph]]


class Proved(NamedTuple):
    """What a reasoner says of a pair, and how sure it is."""

    label: str
    probability: float


Prove = Callable[[Sequence[Mapping[str, str]]], Sequence[Proved]]
"""From pairs of `premise` and `hypothesis` to what can be proved of them."""


@final
@dataclass(frozen=True, slots=True)
class Editing:
    """How many pairs to make: what stands in `[task] edited = { pairs = … }`.

    Args:
        pairs: How many, as many of each label.
        seed: Another seed, other pairs.
        sure: The least probability of a proof that is taken for true.

    Raises:
        ConfigError: If a number is out of range.
    """

    pairs: int
    seed: int = 0
    sure: float = 0.9

    def __post_init__(self) -> None:
        for name, least in (("pairs", 1), ("seed", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ConfigError(f"[task] edited.{name} = {value!r}; expected a whole number of at least {least}.")
        if not 0 <= self.sure < 1:
            raise ConfigError(f"[task] edited.sure = {self.sure!r}; expected a probability below 1.")

    @classmethod
    def of(cls, value: object) -> "Editing":
        """Read the setting: a number of pairs, or a table.

        Raises:
            ConfigError: If a key does not exist or a value is wrong.
        """
        if not isinstance(value, Mapping):
            return cls(value)  # type: ignore[arg-type]  # checked above
        check_keys("[task] edited", value, cls.__dataclass_fields__)
        if "pairs" not in value:
            raise ConfigError("[task] edited is a table without 'pairs': how many pairs to make.")
        return cls(**value)


@final
@dataclass(frozen=True, slots=True)
class Edited:
    """Makes pairs of sentences that differ in one word, labelled by what natural logic proves of them.

    The first texts of a split are taken in a drawn order; of each, up to three nouns, verbs, adjectives, adverbs or
    numbers change for what `Substitutes` draws, each in a pair of its own. A pair whose proof is sure enough is kept,
    until every label has its share. No label of a person goes in: the graph's facts and the tables of natural logic do.

    Args:
        parse: Finds the words and their parts of speech.
        prove: Says what holds between two sentences.
        words: What may stand in the place of a word.

    Reference:
        Kang, Khot, Sabharwal and Hovy (2018, ACL), AdvEntuRe, who train on pairs made from WordNet's and PPDB's rules.
        Here a rule is not enough: the whole pair is proved, so that what stands under a negation is turned round.
    """

    parse: Parse
    prove: Prove
    words: Substitutes

    def __call__(self, split: Split, editing: Editing, labels: Sequence[str], to_example: ToExample) -> Split:
        """Make pairs from the first texts of a split.

        Args:
            split: Whose sentences are taken.
            editing: How many, and how sure.
            labels: The labels that are wanted, an equal share of each.
            to_example: The task's way from fields to an example.

        Raises:
            DataError: If there are too few sentences for so many pairs.
        """
        share = {
            label: editing.pairs // len(labels) + (i < editing.pairs % len(labels)) for i, label in enumerate(labels)
        }
        examples: list[Example] = []
        for fields in self._pairs(split, editing):
            if share.get(fields["label"], 0):
                share[fields["label"]] -= 1
                examples.append(to_example(f"edited-{editing.seed}-{len(examples):06d}", fields))
            if not any(share.values()):
                return Split(f"edited:{editing.seed}", tuple(examples))
        missing = ", ".join(f"{count} of {label}" for label, count in share.items() if count)
        raise DataError(
            f"'{split.name}' has too few sentences for {editing.pairs} edited pairs: {missing} are missing."
        )

    def _pairs(self, split: Split, editing: Editing) -> Iterator[dict[str, Any]]:
        rng = random.Random(f"edited {editing.seed}")
        texts = list(dict.fromkeys(example.texts[0] for example in split.examples))
        rng.shuffle(texts)
        for start in range(0, len(texts), _TOGETHER):
            part = [Example(str(i), (text,), ("premise",)) for i, text in enumerate(texts[start : start + _TOGETHER])]
            pairs = [
                pair for graph, e in zip(self.parse(part), part, strict=True) for pair in self._edits(graph, e, rng)
            ]
            for pair, told in zip(pairs, self.prove(pairs), strict=True):
                if told.probability >= editing.sure:
                    yield pair | {"label": told.label}

    def _edits(self, graph: LogicGraph, example: Example, rng: random.Random) -> Iterator[dict[str, str]]:
        text, made = example.texts[0], 0
        words = [n for n in range(graph.num_nodes) if graph.node_type[n] == NodeType.WORD and graph.node_pos[n] >= 0]
        rng.shuffle(words)
        for node in words:
            pos, (_, start, end) = UPOS[int(graph.node_pos[node])], graph.node_span[node].tolist()
            if pos not in _EXCHANGED or made == _EACH:
                continue
            instead = self.words.draw(text[start:end], graph.node_lemma[node], pos, rng)
            if instead and instead.lower() != text[start:end].lower():
                made += 1
                yield {"premise": text, "hypothesis": _put(text, start, end, instead)}


def _put(text: str, start: int, end: int, word: str) -> str:
    """Put a word into a text, and mend the article before it.

    >>> _put("He eats a pear.", 10, 14, "apple")
    'He eats an apple.'
    """
    before = text[:start]
    found = re.search(r"\b([Aa])n?(\s+)$", before)
    if found:
        spelt = article(word)
        before = before[: found.start()] + found[1] + spelt[1:] + found[2]
    return before + word + text[end:]
