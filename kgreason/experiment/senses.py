"""What single words of a question say of a graph's relations: by their forms, by WordNet, and by the language model."""

import re
from collections.abc import Iterable, Mapping
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from kgreason.data import KnowledgeGraph
from kgreason.decode.similar import Sense
from kgreason.encode import embed_texts
from kgreason.experiment.english import lexicon, phrases
from kgreason.pretrained import load_model, load_tokenizer
from kgreason.tasks import patterns
from kgreason.tasks.phrases import Phrases

#: Words that say nothing by themselves of what is asked.
_EMPTY = frozenset(
    """a an the of in on at to for from by with and or is are was were be been being am do does did done has have had
    having it its this that these those there what which who whom whose when where how why can could will would shall
    should might may must please tell say says know wonder wondering let us each every all both any many much exactly
    actually currently me i we you he she they him her them his their my your want find list name give show as
    if into some one ones out up so than then not no s t d ll re people person persons kind things
    thing ve""".split()  # noqa: SIM905
)
#: Words that hint at a path which goes back along a relation, to others.
_TURNS = frozenset("share shared shares sharing same also other another common both together alike similar".split())  # noqa: SIM905
_ASKS = {"who": "person", "whom": "person", "person": "person", "people": "person", "when": "time", "where": "place"}
_SEEKS = frozenset({"what", "which", "whose", "name", "list"})
#: Cosines up to the first say nothing, from the second on as much as a word of the same family does.
_LOW, _HIGH = 0.25, 0.75
#: No cosine counts as much as the word itself.
_NEAR = 0.9
#: How much a synonym counts, and how many of a word's senses are looked at: *state* and *country* share the fourth.
_SYNONYM, _USUAL = 0.8, 4
#: A word of a name of several words, *currency* of *former currency*, names less than one that is the whole name.
_PART = 0.9
#: How much a word says that a relation is named by only in passing: its tail, said of its inverse; how one asks for it.
_PASSING = 0.75


@final
class WordSenses:
    """Tells the senses of words for one graph; made for `SimilarDecoder`.

    A word names a directed relation as well as the best of the words that belong to the relation: 1 if they are forms
    of one word, or one is derived from the other (by WordNet: direct, director); 0.8 at least if they are synonyms, by
    the first sense of one of them; else by the mean of two cosines of the
    language model's vectors, that of the words each by itself and that of their embeddings, from 0.25 (0) to 0.75 (1),
    at most 0.9. To a relation belong the words of its labels, their WordNet kin, and to its inverse the nouns for what
    has it.

    Args:
        knowledge: The graph.
        model: The language model.
    """

    def __init__(self, knowledge: KnowledgeGraph, model: str) -> None:
        self.model, self.tokenizer, self.lexicon = model, load_tokenizer(model), lexicon(model)
        said, steps = phrases(knowledge, model), 2 * len(knowledge.relations)
        table = load_model(model).get_input_embeddings().weight.detach()
        self.embeddings = torch.nn.functional.normalize(table - table.mean(0), dim=-1)
        self.kinds = [said.kind([step]) for step in range(steps)]
        named, kinds = [_words_of(said, step) for step in range(steps)], [_kinds_of(said, s) for s in range(steps)]
        self.words = sorted({word for table in (*named, *kinds) for word in table})
        self.names, self.starts = (self._table(tables) for tables in (named, kinds))
        self.stems = [self._stems(word) for word in self.words]
        self.synsets = [self._synsets(stems) for stems in self.stems]
        self.vectors = self._vectors(self.words) if self.words else torch.zeros(0, 1)
        self._known: dict[tuple[int, ...], Sense] = {}

    def __call__(self, word: tuple[int, ...]) -> Sense:
        if word not in self._known:
            self._known[word] = self._sense(self.tokenizer.decode(list(word)).strip().lower())
        return self._known[word]

    def _sense(self, word: str) -> Sense:
        like = self._like(word)
        empty = word in _EMPTY or word in _TURNS or not any(c.isalpha() for c in word)
        if empty:  # unless it is the very word
            like = torch.tensor([float(word == other) for other in self.words])
        names, kind = ((table * like).amax(-1) if len(like) else table.sum(-1) for table in (self.names, self.starts))
        asks = torch.zeros(len(self.kinds))
        if word in _ASKS:
            asks = torch.tensor([1.0 if kind == _ASKS[word] else -1.0 for kind in self.kinds])
        return Sense(names, kind, asks, float(not empty), word in _TURNS, word in _SEEKS)

    def _like(self, word: str) -> Float[Tensor, " words"]:
        """Return how well a word stands for each of the words of the relations."""
        if not self.words or not word:
            return torch.zeros(len(self.words))
        near = ((self.vectors @ self._vectors([word])[0] - _LOW) / (_HIGH - _LOW)).clamp(0, _NEAR)
        stems = self._stems(word)
        same = torch.tensor([bool(stems & other) for other in self.stems])
        synsets = self._synsets(stems)
        alike = torch.tensor([_synonyms(synsets, other) for other in self.synsets])
        return torch.where(same, 1.0, torch.where(alike, near.clamp_min(_SYNONYM), near))

    def _stems(self, word: str) -> frozenset[str]:
        return frozenset({word, self.lexicon.singular(word), self.lexicon.verb(word) or word})

    def _synsets(self, stems: frozenset[str]) -> dict[str, int]:
        """Return the synsets that one of a word's forms usually stands for, and the place of each among its senses."""
        found: dict[str, int] = {}
        for word in stems:
            for pos in "nv":
                for place, synset in enumerate(self.lexicon.senses(word, pos)[:_USUAL]):
                    found[synset] = min(place, found.get(synset, _USUAL))
        return found

    def _vectors(self, words: list[str]) -> Tensor:
        normal = torch.nn.functional.normalize
        whole = normal(embed_texts(words, self.model), dim=-1)
        ids = [self.tokenizer.encode(word, add_special_tokens=False).ids for word in words]
        parts = normal(torch.stack([self.embeddings[torch.tensor(i)].mean(0) for i in ids]), dim=-1)
        return torch.cat([whole, parts], dim=-1) / 2**0.5

    def _table(self, tables: list[dict[str, float]]) -> Float[Tensor, "directed words"]:
        return torch.tensor([[table.get(word, 0.0) for word in self.words] for table in tables])


def _synonyms(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Say whether two words share a synset that is the first sense of one of them."""
    return any(not min(one[synset], other[synset]) for synset in one.keys() & other.keys())


def _words_of(said: Phrases, step: int) -> dict[str, float]:
    """Return the words that name a directed relation, and how well."""
    ahead, found = step < said.relations, dict[str, float]()
    for each in said.said[step % said.relations]:
        slots: Mapping[str, Iterable[str]] = each.slots
        for slot in ("V", "A", "P", "I"):
            _add(found, slots.get(slot, ()), 1.0)
        part = _PART if each.tail and " " in each.tail[0] else 1.0
        for slot in ("N", "G"):
            _add(found, slots.get(slot, ()), part if ahead else _PASSING)
        _add(found, slots.get("H", ()), _PASSING if ahead else 1.0)
        for _, *asked in patterns.ATTRIBUTES:
            if tuple(asked) == each.asked:
                _add(found, (re.sub(r"\{\w+\}", "", text) for text in asked[not ahead]), _PASSING)
    if not ahead:
        _add(found, said.types[step], 1.0)
    return found


def _kinds_of(said: Phrases, step: int) -> dict[str, float]:
    """Return the words for what a directed relation starts from."""
    found: dict[str, float] = {}
    if step < said.relations:
        _add(found, said.types[step + said.relations], 1.0)
    else:
        _add(found, (noun for each in said.said[step - said.relations] for noun in each.tail), 1.0)
    return found


def _add(found: dict[str, float], texts: Iterable[str], weight: float) -> None:
    for text in texts:
        for word in re.findall(r"[^\W\d_]+", text.lower()):
            if word not in _EMPTY or text.strip() == word:
                found[word] = max(found.get(word, 0.0), weight)
