"""English words: their forms, kinds and kin, as WordNet has them."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias, final

import numpy as np

from kgreason.data import KnowledgeGraph
from kgreason.tasks.frames_english import inflect, plural

Kind: TypeAlias = Literal["person", "place", "time", "thing"]
#: Hypernyms that tell what a noun is asked after by: who, where, when. `thing` is what is none of them.
_KINDS: dict[str, Kind] = {
    "person.n.01": "person",
    "location.n.01": "place",
    "geological_formation.n.01": "place",
    "body_of_water.n.01": "place",
    "time_period.n.01": "time",
    "date.n.01": "time",
}
_ENDINGS = (("ied", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("ies", "y"), ("es", ""), ("s", ""))


@final
class Lexicon:
    """What is known about English words.

    Args:
        wordnet: The graph of WordNet's synsets, named `dog.n.01`, with their words as labels.
        irregular: Irregular forms: kind (`NOUN`, `VERB`) and form to lemma.
        common: Words in daily use: only these are given as synonyms.
    """

    def __init__(
        self, wordnet: KnowledgeGraph, irregular: Mapping[tuple[str, str], str], common: Collection[str] = ()
    ) -> None:
        self.wordnet, self.irregular, self.common = wordnet, dict(irregular), frozenset(common)
        self.forms: dict[str, list[str]] = {}
        for (kind, form), lemma in sorted(self.irregular.items()):
            if kind == "VERB" and form != lemma and not form.endswith("ing") and " " not in form:
                self.forms.setdefault(lemma, []).append(form)
        self.plurals = {lemma: form for (kind, form), lemma in sorted(self.irregular.items()) if kind == "NOUN"}

    @lru_cache(4096)  # noqa: B019 (lives as long as the program)
    def senses(self, word: str, pos: str) -> tuple[str, ...]:
        """Return the synsets of a word that are nouns (`n`) or verbs (`v`), the most usual first."""
        ids, _ = self.wordnet.labels.senses(word)
        names = [self.wordnet.entities[int(i)] for i in ids]
        return tuple(name for name in names if name.split(".")[-2] == pos)

    @lru_cache(4096)  # noqa: B019
    def words(self, synset: str) -> tuple[str, ...]:
        """Return the words of a synset, single words first."""
        entity = self.wordnet.entities.id(synset)
        order, ptr = self._by_entity
        names = [self.wordnet.labels.names[int(i)] for i in order[ptr[entity] : ptr[entity + 1]]]
        return tuple(sorted(names, key=lambda name: (" " in name or "-" in name, name)))

    @cached_property
    def _by_entity(self) -> tuple[np.ndarray, np.ndarray]:
        labels = self.wordnet.labels
        owner = np.repeat(np.arange(len(labels.ptr) - 1), np.diff(labels.ptr))
        order = np.argsort(labels.entity, kind="stable")
        counts = np.bincount(labels.entity, minlength=len(self.wordnet.entities))
        return owner[order], np.concatenate([[0], np.cumsum(counts)])

    def _is(self, word: str, pos: str) -> bool:
        return bool(self.senses(word, pos))

    def verb(self, form: str) -> str:
        """Return the verb that a past form, participle or third person belongs to; empty if it is no such form.

        >>> # "written" is "write", "located" is "locate", "starred" is "star", "river" is ""
        """
        known = self.irregular.get(("VERB", form))
        if known:
            return known
        for end, new in _ENDINGS:
            stem = form.removesuffix(end) + new
            if form.endswith(end) and len(stem) > 2 and self._is(stem, "v"):
                return stem
        return ""

    def is_noun(self, word: str) -> bool:
        """Say whether a word is a noun before all."""
        ids, _ = self.wordnet.labels.senses(word)
        return len(ids) > 0 and ".n." in self.wordnet.entities[int(ids[0])]

    def acts(self, word: str) -> bool:
        """Say whether a word is a verb at least three times in ten."""
        ids, score = self.wordnet.labels.senses(word)
        verbs = [".v." in self.wordnet.entities[int(i)] for i in ids]
        return float(np.asarray(score)[verbs].sum()) >= 0.3

    def singular(self, form: str) -> str:
        """Return the singular of a noun; the word itself if it is one."""
        if ("NOUN", form) in self.irregular:
            return self.irregular["NOUN", form]
        for end, new in (("ies", "y"), ("s", ""), ("es", "")):
            stem = form.removesuffix(end) + new
            if form.endswith(end) and not form.endswith("ss") and len(stem) > 2 and self._is(stem, "n"):
                return stem
        return form

    def plural(self, noun: str) -> str:
        """Return the plural of a noun or of a phrase that ends in one; of one that is plural, itself."""
        first, of, rest = noun.partition(" of ")
        *before, last = first.split()
        many = last if self.singular(last) != last else self.plurals.get(last) or plural(last)
        return " ".join([*before, many]) + of + rest

    def past(self, verb: str) -> tuple[str, str]:
        """Return the past and the participle of a verb: `wrote`, `written`."""
        found = self.forms.get(verb, [])
        part = [form for form in found if re.search(r"(?:n|ne|ung|um|unk)$", form)]
        regular = inflect(verb, "past")
        if not found:
            return regular, regular
        other = [form for form in found if form not in part]
        return (other or found)[0], (part or found)[0]

    def agents(self, verb: str) -> tuple[str, ...]:
        """Return the persons who do what a verb says, by its name: `director` of direct, `writer` of write."""
        found = dict.fromkeys(
            word
            for sense in self.senses(verb, "v")[:12]
            for other in self._joined(sense, "derivation", "n")
            if self.kind_of(other) == "person"
            for word in self.words(other)
            if _stem(word, verb) and re.search(r"(?:er|or|ar|ist|ant|ent)$", word)
        )
        return tuple(sorted(found, key=len))

    def deeds(self, noun: str) -> tuple[str, ...]:
        """Return what a person called so does: `act` of actor."""
        found = dict.fromkeys(
            word
            for sense in self.senses(noun, "n")[:3]
            if self.kind_of(sense) == "person"
            for other in self._joined(sense, "derivation", "v")
            for word in self.words(other)
            if _stem(word, noun) and " " not in word
        )
        return tuple(found)

    def synonyms(self, noun: str, senses: int = 1) -> tuple[str, ...]:
        """Return other single words for the most usual senses of a noun."""
        found = dict.fromkeys(word for sense in self.senses(noun, "n")[:senses] for word in self.words(sense))
        return tuple(word for word in found if word != noun and word in self.common)

    def broader(self, noun: str) -> tuple[str, ...]:
        """Return single words for what a noun in its most usual sense is a kind of: `kind`, `sort` of genre."""
        above = [a for sense in self.senses(noun, "n")[:1] for a in self._joined(sense, "hypernym", "n")]
        return tuple(dict.fromkeys(word for a in above for word in self.words(a) if word in self.common))

    def kind(self, noun: str) -> Kind:
        """Return what a noun is asked after by, in its most usual sense."""
        found = self.senses(noun, "n")[:1]
        return self.kind_of(found[0]) if found else "thing"

    @lru_cache(4096)  # noqa: B019
    def kind_of(self, synset: str) -> Kind:
        """Return what the things a synset means are asked after by."""
        seen, ahead = {synset}, [synset]
        while ahead:
            here = ahead.pop()
            if here in _KINDS:
                return _KINDS[here]
            above = [t for r, t in self.wordnet.out(here) if r in ("hypernym", "instance_hypernym")]
            ahead += [t for t in above if t not in seen]
            seen |= set(above)
        return "thing"

    def _joined(self, synset: str, relation: str, pos: str) -> Iterable[str]:
        return [t for r, t in self.wordnet.out(synset) if r == relation and t.split(".")[-2] == pos]


def _stem(one: str, other: str) -> bool:
    """Say whether two words begin alike, but for a last letter e or y."""
    short, long = sorted((one, other), key=len)
    short = short.rstrip("ey")
    return len(short) > 2 and long.startswith(short)
