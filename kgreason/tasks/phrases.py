"""From what relations are called to what people say: noun phrases and questions for every path of relations."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from kgreason.data import KnowledgeGraph, relation_texts
from kgreason.tasks import patterns
from kgreason.tasks.frames_english import article, inflect
from kgreason.tasks.lexicon import Kind, Lexicon
from kgreason.tasks.types import kin_of_relations

Slots = Mapping[str, Sequence[str]]
#: Finds nouns near in meaning to a text, the nearest first.
Nouns = Callable[[str], Sequence[str]]

_PREPOSITIONS = frozenset("by in on of to from through into at with for as over about under near against".split())  # noqa: SIM905
_BARE = frozenset("has have had is was are were be a an the".split())  # noqa: SIM905
_SLOT = re.compile(r"\{(\w+)\}")
#: Words for anything at all.
_ANYTHING: Mapping[Kind, tuple[str, ...]] = {
    "person": ("person", "one"),
    "place": ("place",),
    "time": ("time",),
    "thing": ("thing",),
}


@final
@dataclass(frozen=True, slots=True)
class Said:
    """How a relation is said, in one direction or the other.

    Args:
        grammar: Keys of `patterns` that fit what it is called.
        slots: What may stand in their slots.
        kind: What its tail is asked after by.
        tail: What a tail is called, if the relation tells.
        head: What a head is called, if the relation tells.
        asked: Questions for attributes of this name, ahead and back.
    """

    grammar: tuple[str, ...]
    slots: Slots
    kind: Kind
    tail: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    asked: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


@final
class Phrases:
    """Says paths of relations in words.

    A path is a sequence of directed relations: `r` from head to tail, `r + relations` from tail to head.

    Args:
        knowledge: The graph; its relations' labels are read (`relation_texts`), and which relations share their heads.
        lexicon: English.
        nouns: Finds nouns for a kind of things from what is said of them, such as film from *release year, directed
            by*; None for none.
    """

    def __init__(self, knowledge: KnowledgeGraph, lexicon: Lexicon, nouns: Nouns | None = None) -> None:
        self.lexicon, self.relations = lexicon, len(knowledge.relations)
        self.said = [self._read(texts) for texts in relation_texts(knowledge)]
        self.types = self._types(knowledge, nouns)

    def kind(self, path: Sequence[int]) -> Kind:
        """Return what is asked for at the end of a path: `person` for who."""
        last = path[-1]
        if last < self.relations:
            return max((said.kind for said in self.said[last]), key=lambda kind: kind != "thing")
        nouns = self.types[last]
        return self.lexicon.kind(self.lexicon.singular(nouns[0])) if nouns else "thing"

    def question(self, path: Sequence[int], x: str, rng: random.Random) -> str:
        """Return a question, in lower case but for `x`, which stands in [brackets]; without a question mark."""
        shape = rng.random()
        shared = len(path) > 1 and self._turns(path[-2:])
        if len(path) == 1 or (shape < 0.5 and not shared):
            inner = self.phrase(path[:-1], x, rng) if len(path) > 1 else x
            said = self._say(patterns.ASK_AHEAD, patterns.ASK_BACK, path[-1], inner, rng)
            if len(path) > 1 or shape < 0.8:
                return self._open(said, rng, 0.1)
        lead = rng.choice(patterns.LEADS[self.kind(path)])
        return f"{lead} {self.phrase(path, x, rng)}".strip()

    def phrase(self, path: Sequence[int], x: str, rng: random.Random) -> str:
        """Return a noun phrase for what a path leads to from `x`."""
        if len(path) > 1 and self._turns(path[-2:]) and rng.random() < 0.6:
            return self._turn(path[-1], self.phrase(path[:-2], x, rng) if len(path) > 2 else x, rng)
        inner = self.phrase(path[:-1], x, rng) if len(path) > 1 else x
        return self._say(patterns.AHEAD, patterns.BACK, path[-1], inner, rng)

    def named(self, step: int, x: str, rng: random.Random) -> str:
        """Return a seed with, before it, what it is: what the relation `step` leaves."""
        if step < self.relations:
            nouns: Sequence[str] = self.types[step + self.relations]
        else:
            nouns = [noun for said in self.said[step - self.relations] for noun in said.tail]
        return f"{rng.choice(('', 'the '))}{rng.choice(nouns)} {x}" if nouns else x

    def _turns(self, steps: Sequence[int]) -> bool:
        return abs(steps[0] - steps[1]) == self.relations

    def _open(self, said: str, rng: random.Random, share: float) -> str:
        return f"{rng.choice(patterns.OPENINGS)} {said}" if rng.random() < share else said

    def _say(self, ahead: patterns.Patterns, back: patterns.Patterns, step: int, inner: str, rng: random.Random) -> str:
        forward = step < self.relations
        said = rng.choice(self.said[step % self.relations])
        table = ahead if forward else back
        grammar = rng.choice([key for key in said.grammar if key in table])
        asked = said.asked[not forward] if ahead is patterns.ASK_AHEAD else ()
        choices: Sequence[str] = asked if asked and rng.random() < 0.4 else table[grammar]
        if " " in inner.partition("[")[0].strip():  # "the people who wrote X films" may mean anything
            loose = "{x}'s" if ahead is patterns.ASK_AHEAD else "{x}"
            choices = [text for text in choices if "{x}'s" not in text and not text.startswith(loose)] or choices
        return self._fill(choices, self._slots(said, step), inner, rng)

    def _slots(self, said: Said, step: int) -> dict[str, Sequence[str]]:
        """Return what may stand in the slots, the nouns for where the inverse leads included."""
        things = self.types[step % self.relations + self.relations]
        slots = dict(said.slots)
        slots["T"] = [*things, *things, *said.head, *_ANYTHING["thing"]]
        slots["Ts"] = [self.lexicon.plural(noun) for noun in slots["T"]]
        slots.setdefault("N", _ANYTHING[said.kind])
        slots.setdefault("Ns", [self.lexicon.plural(noun) for noun in slots["N"]])
        return slots

    def _turn(self, step: int, inner: str, rng: random.Random) -> str:
        """Say a relation and back by it in one phrase."""
        said = rng.choice(self.said[step % self.relations])
        slots = self._slots(said, step)
        slots["S"] = slots["G"] if "G" in slots else slots["N"]
        slots["Ss"] = [self.lexicon.plural(noun) for noun in slots["S"]]
        home = step >= self.relations
        tables: list[Sequence[str]] = [patterns.SHARED if home else patterns.TOGETHER]
        if "by" in said.grammar:
            tables.append(patterns.SHARED_BY if home else patterns.TOGETHER_BY)
        elif "deed" in said.grammar:
            tables.append(patterns.SHARED_DEED if home else patterns.TOGETHER_DEED)
        return self._fill(rng.choice(tables), slots, inner, rng)

    @staticmethod
    def _fill(choices: Sequence[str], slots: Slots, inner: str, rng: random.Random) -> str:
        fit = [text for text in choices if all(slots.get(name) for name in _SLOT.findall(text) if name != "x")]
        verb = rng.randrange(1 << 16)  # all forms of one verb, if there are several
        text = rng.choice(fit).replace(" a {", " {a} {") if "a" not in slots else rng.choice(fit)
        said = _SLOT.sub(
            lambda m: m[0] if m[1] in ("x", "a") and m[1] not in slots else _pick(slots[m[1]], m[1], verb, rng), text
        )
        said = re.sub(r"\{a\} ([^\s{]+)", lambda m: f"{article(m[1])} {m[1]}", said)
        return said.replace("{x}", inner)

    def _read(self, texts: Sequence[str]) -> list[Said]:
        return [self._parse(text.lower().split()) for text in texts]

    def _parse(self, words: list[str]) -> Said:
        """Read the grammar of a relation's label off its words."""
        named = words[0] in ("has", "have", "had")
        while len(words) > 1 and words[0] in _BARE:
            words = words[1:]
        *before, last = words
        lexicon = self.lexicon
        if before and last in _PREPOSITIONS:
            verb = lexicon.verb(before[-1])
            if verb and last == "by":
                return self._by(verb)
            if verb:
                return self._verb(verb, before[-1], last, "")
            noun = " ".join(w for w in before if w not in _BARE)
            slots = {"H": [noun], "Hs": [lexicon.plural(noun)], "a": [article(noun)], "p": [last]}
            return Said(("head",), slots, "thing", head=(noun,))
        if words[0] in _PREPOSITIONS and before:
            return self._noun([w for w in words[1:] if w not in _BARE] or words[1:], words[0])
        if len(words) > 2 and words[1] in _PREPOSITIONS and (verb := lexicon.verb(words[0])):
            noun = " ".join(w for w in words[2:] if w not in _BARE)
            return self._verb(verb, words[0], words[1], noun)
        if not before and not named and last.endswith("s") and (verb := lexicon.verb(last)) and lexicon.acts(verb):
            return Said(("verb",), self._forms(verb), "thing")
        return self._noun(words, "")

    def _by(self, verb: str) -> Said:
        agents = list(self.lexicon.agents(verb)[:2]) or [inflect(verb, "").removesuffix("e") + "er"]
        agents = agents * 2 + [noun for group in patterns.ALIKE if agents[0] in group for noun in group]
        slots = self._forms(verb) | {"G": agents, "Gs": [self.lexicon.plural(agent) for agent in agents]}
        return Said(("by",), slots | {"N": agents, "Ns": slots["Gs"]}, "person", tail=tuple(dict.fromkeys(agents)))

    def _verb(self, verb: str, form: str, preposition: str, noun: str) -> Said:
        grammar = "set" if form in self.lexicon.past(verb) else "going"
        slots = self._forms(verb) | {"p": [preposition]} | ({"N": [noun]} if noun else {})
        place = preposition in ("in", "at", "on") and not noun
        return Said((grammar,), slots, "place" if place else "thing", tail=(noun,) if noun else ())

    def _noun(self, words: list[str], preposition: str) -> Said:
        """Read a label that names its tail."""
        lexicon, at = self.lexicon, words.index("of") if "of" in words[1:] else len(words)
        last = lexicon.singular(words[at - 1])
        phrase = " ".join([*words[: at - 1], last, *words[at:]])
        kind, made = lexicon.kind(last), lexicon.verb(words[0]) if at > 1 else ""
        if not made and at > 1 and lexicon.senses(words[0], "v"):
            made = words[0]
        deeds = [deed for deed in lexicon.deeds(last)[:1] if kind == "person"]
        nouns = [phrase, *([last] if at > 1 else [])] * 2
        nouns += [noun for group in patterns.ALIKE if last in group for noun in group if noun != last]
        nouns += [*lexicon.synonyms(last)[:3], *(lexicon.broader(last)[:2] if kind == "thing" else ())]
        slots: dict[str, Sequence[str]] = {"N": nouns, "Ns": [lexicon.plural(noun) for noun in nouns]}
        slots |= {"p": [preposition]} if preposition else {}
        verbs = [verb for verb in (*deeds, made) if verb]
        slots |= self._forms(*verbs) if verbs else {}
        fits = {
            "noun.person": kind == "person",
            "noun.place": kind == "place",
            "deed": kind == "person" and bool(verbs),
            "noun.prep": bool(preposition),
            "made": kind == "time" and bool(made),
            "when": kind == "time",
        }
        grammar = ("noun", *(key for key, fit in fits.items() if fit for _ in range(1 + (key in ("deed", "made")))))
        asked = [(ahead, back) for names, ahead, back in patterns.ATTRIBUTES if last in names]
        return Said(grammar, slots, kind, tail=tuple(nouns), asked=(asked or [((), ())])[0])

    def _forms(self, *verbs: str) -> dict[str, Sequence[str]]:
        pasts = [self.lexicon.past(verb) for verb in verbs]
        return {
            "V": list(verbs),
            "Vs": [inflect(verb, "s") for verb in verbs],
            "A": [past for past, _ in pasts],
            "P": [participle for _, participle in pasts],
            "I": [_ing(verb, past) for verb, (past, _) in zip(verbs, pasts, strict=True)],
        }

    def _types(self, knowledge: KnowledgeGraph, nouns: Nouns | None) -> dict[int, list[str]]:
        """Return, for the inverse of each relation, nouns for where it leads: what its heads are."""
        texts, found = relation_texts(knowledge), dict[int, list[str]]()
        for r, kin in enumerate(kin_of_relations(knowledge)):
            told = [noun for said in self.said[r] for noun in said.head]
            ends = [said for k in kin.tails for said in self.said[k] if said.tail]
            if not told and ends:
                people = [said.kind == "person" for said in ends]
                told = ["person"] if all(people) else [s.tail[0] for s in ends if s.kind != "person"][:3]
            if not told and nouns is not None:
                told = self._guess(", ".join(texts[k][0] for k in kin.heads), nouns, kin.heads)
            found[r + self.relations] = [self._short(noun) for noun in told]
        return found

    def _short(self, noun: str) -> str:
        """Return a noun without what hangs on it: country of *country of the city*."""
        words = noun.partition(" of ")[0].split()
        return self.lexicon.singular(words[-1]) if words else noun

    def _guess(self, about: str, nouns: Nouns, kin: Sequence[int]) -> list[str]:
        """Return nouns for things of which relations are told, leaving out what the relations themselves name."""
        taken = {word for k in kin for said in self.said[k] for noun in said.tail for word in noun.split()}
        near, votes = nouns(about), dict[str, float]()
        for place, noun in enumerate(near):
            if noun not in taken and self.lexicon.kind(noun) != "person" and not self.lexicon.verb(noun):
                for sense in self.lexicon.senses(noun, "n")[:2]:
                    votes[sense] = votes.get(sense, 0.0) + 1 / (8 + place)
        best = sorted(votes, key=lambda sense: -votes[sense])[:3]
        found = {word for sense in best for word in self.lexicon.words(sense)}
        return [noun for noun in near if noun in found][:4]


def _pick(options: Sequence[str], slot: str, verb: int, rng: random.Random) -> str:
    return options[verb % len(options)] if slot in ("V", "Vs", "A", "P", "I", "H", "Hs", "a") else rng.choice(options)


def _ing(verb: str, past: str) -> str:
    return (
        past[:-2] if past.endswith("ed") and past[:-2] != verb.removesuffix("e") else verb.removesuffix("e")
    ) + "ing"
