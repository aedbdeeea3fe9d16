"""Sentence frames: their text, their readings, and which label every two readings have."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, cast, final

from kgreason.errors import DataError
from kgreason.tasks.frames_english import Form, article, inflect, plural
from kgreason.tasks.frames_lexicon import Category
from kgreason.tasks.frames_logic import (
    CONTRADICTORY,
    EXCLUSIVE,
    FORWARD,
    INDEPENDENT,
    LEXICAL,
    REVERSE,
    Worlds,
    join,
    label,
    negate,
    project,
)

_SLOT = re.compile(r"\{([xy])(s|:ing|:past|:part|:s)?\}")
_MODIFIER = re.compile(r" ?\[[^\]]*\]")
_DENIAL = "It is not true that "


@dataclass(frozen=True, slots=True)
class Reading:
    """One sentence that a frame can say.

    Args:
        negated: Whether it is the frame's `negation`.
        denied: Whether it stands after "It is not true that".
        fillers: One word per slot.
        modified: Whether the modifier in brackets is there.
    """

    negated: bool
    denied: bool
    fillers: tuple[str, ...]
    modified: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two readings of one frame, their label, and the edits that lead from the first to the second."""

    premise: Reading
    hypothesis: Reading
    label: str
    relation: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A sentence with slots; `datasets/lexical-nli/frames.toml` explains the fields.

    `slots` are the categories of x and y.
    """

    name: str
    split: str
    text: str
    negation: str
    slots: tuple[Category, ...]
    operator: str
    phenomenon: str
    polarity: str
    exclusive: str
    modifier: str
    subsective: bool
    contrary: bool

    def say(self, reading: Reading) -> str:
        """Return a reading as an English sentence."""
        text = self.negation if reading.negated else self.text
        text = re.sub(r"[\[\]]", "", text) if reading.modified else _MODIFIER.sub("", text)
        text = _SLOT.sub(lambda match: self._spell(match, reading), text).replace("{A}", "{a}").strip()
        text = re.sub(r"\{a\} (a |an )?(\w+)", lambda m: f"{article(m[2])} {m[2]}", text)
        if reading.denied:
            return _DENIAL + text[0].lower() + text[1:]
        return text[0].upper() + text[1:]

    def readings(self) -> Iterator[Reading]:
        """Yield every reading that is good English."""
        modified = (False, True) if "[" in self.text else (False,)
        negations = (False, True) if self.negation else (False,)
        denials = (False,) if self.contrary or self.negation.startswith(_DENIAL) else (False, True)
        for fillers in product(*(slot.words for slot in self.slots)):
            very = "[very]" in self.text and fillers[0] in self.slots[0].about.extreme.split()
            for negated, denied, modifier in product(negations, denials, modified):
                if not (very and modifier):
                    yield Reading(negated, denied, fillers, modifier)

    def compare(self, premise: Reading, hypothesis: Reading) -> Pair | None:
        """Return the pair with its label, or None where the label cannot be told."""
        edits: list[tuple[str, Worlds]] = []
        for place, slot in enumerate(self.slots):
            name = slot.relation(premise.fillers[place], hypothesis.fillers[place])
            change = self._change(place, name, premise, hypothesis) if name else None
            if name is None or change is None:
                return None
            edits += [(name, change)] if name != "same" else []
        if premise.modified != hypothesis.modified:
            name, change = ("modifier_dropped", FORWARD) if premise.modified else ("modifier_added", REVERSE)
            edits.append((name, project(change, self.modifier, "no") or INDEPENDENT))
        between = join(tuple(change for _, change in edits))
        if between is None:
            return None
        found = label(negate(between, premise.negated != premise.denied, hypothesis.negated != hypothesis.denied))
        ruled_out = any(name in ("antonym", "complement", "co_hyponym") for name, _ in edits)
        if found == "entailment" and ruled_out and self.exclusive == "event":
            return None  # playing the piano hardly says that the guitar is not played
        return Pair(premise, hypothesis, found, "+".join(name for name, _ in edits) or "same")

    def _change(self, place: int, name: str, premise: Reading, hypothesis: Reading) -> Worlds | None:
        """Return what one exchange does to the sentence, or None if that cannot be told."""
        relation = LEXICAL[name]
        if relation in (FORWARD, REVERSE):
            measured = self.subsective and place == 0
            very = "[very]" in self.text and premise.modified and hypothesis.modified
            if measured or very:
                return None  # a big cat is no big animal, and what is very damp is not very wet
        if relation == CONTRADICTORY and (premise.modified or hypothesis.modified):
            relation = EXCLUSIVE  # one is awake or asleep, but need not be clearly awake or clearly asleep
        return project(relation, self.polarity, self.exclusive)

    def _spell(self, match: re.Match[str], reading: Reading) -> str:
        place, form = "xy".index(match[1]), match[2] or ""
        slot, word = self.slots[place], reading.fillers[place]
        if form == "s":
            return plural(word)
        if form:
            return inflect(word, cast("Form", form[1:]))
        return f"{article(word)} {word}" if slot.takes_article(word) else word


def read_frame(
    name: str, split: str, table: Mapping[str, Any], operators: Mapping[str, Any], lexicon: Mapping[str, Category]
) -> Frame:
    """Make a frame from its table in `frames.toml`.

    Raises:
        DataError: If it names an operator or a category that does not exist.
    """
    operator = operators.get(table["operator"])
    if operator is None:
        raise DataError(f"frames.toml, {split}.{name}: there is no operator '{table['operator']}'.")
    categories = [table[slot] for slot in "xy" if slot in table]
    for category in categories:
        if category not in lexicon:
            raise DataError(f"frames.toml, {split}.{name}: lexicon.toml has no category '{category}' in {split}.")
    return Frame(
        name=f"{split}.{name}",
        split=split,
        text=table["text"],
        negation=table.get("negation", ""),
        slots=tuple(lexicon[category] for category in categories),
        operator=table["operator"],
        phenomenon=operator["phenomenon"],
        polarity=operator["polarity"],
        exclusive=table.get("exclusive", operator["exclusive"]),
        modifier=table.get("modifier", operator["polarity"]),
        subsective=table.get("subsective", False),
        contrary=operator.get("contrary", False),
    )
