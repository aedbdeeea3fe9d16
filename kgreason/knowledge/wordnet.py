"""WordNet as a knowledge graph: synsets, their words, and all relations between them. Facts only, no glosses."""

from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from kgreason.data import UPOS, KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.errors import DataError
from kgreason.knowledge.labels import build_labels
from kgreason.knowledge.strings import StringTable
from kgreason.knowledge.wndb import PARTS, Synset, read_counts, read_senses, read_synsets, read_version

#: Pointer symbol (of all four parts of speech) to relation. What is missing here is the exact inverse of one that is
#: not: `~` of `@`, `~i` of `@i`, `%m %s %p` of `#m #s #p`, `-c -r -u` of `;c ;r ;u`.
RELATIONS = {
    "!": "antonym",
    "#m": "member_holonym",
    "#p": "part_holonym",
    "#s": "substance_holonym",
    "$": "verb_group",
    "&": "similar",
    "*": "entailment",
    "+": "derivation",
    ";c": "domain_topic",
    ";r": "domain_region",
    ";u": "domain_usage",
    "<": "participle",
    "=": "attribute",
    ">": "cause",
    "@": "hypernym",
    "@i": "instance_hypernym",
    "\\": "pertainym",
    "^": "also_see",
}
_INVERSES = {"~": "@", "~i": "@i", "%m": "#m", "%s": "#s", "%p": "#p", "-c": ";c", "-r": ";r", "-u": ";u"}
_ORIGIN = "WordNet, Princeton University, https://wordnet.princeton.edu"


@final
class WordNetSource:
    r"""Reads a WordNet database folder (the `dict` folder of WordNet 3.0, or `/usr/share/wordnet` on Debian).

    - **Entities** are synsets, named as NLTK names them: the first word, the part of speech (`n v a s r`) and the rank
      of the sense, `dog.n.01`.
    - **Triples** run as WordNet's pointers do: `dog.n.01 hypernym canine.n.02` (from the specific to the general),
      `wheel.n.01 part_holonym wheeled_vehicle.n.01` (from the part to the whole), `member domain_topic domain`.
      A pointer whose exact inverse is also in WordNet is kept in one direction (`hypernym`, not `hyponym`; `*_holonym`,
      not `*_meronym`; `domain_*`, not its members); relations that are their own inverse (antonym, similar, derivation,
      attribute, verb_group) keep both. Pointers from word to word (antonym, derivation, pertainym, participle) join
      the two synsets.
    - **Labels** are the words, with spaces for underscores and their case kept. The score of a sense is its share of
      the label's weight,

      $$w = c + 1 / r$$

      with $c$ how often the sense stands in WordNet's tagged texts and $r \ge 1$ its rank among the senses of the word
      in that part of speech; so an untagged word still prefers its first sense. Scores of one label sum to 1 over all
      parts of speech; divide by the sum over one part of speech if that is known.
    - `Labels.pos` is NOUN, VERB, ADJ (satellites too) or ADV.

    Args:
        path: The folder.

    Raises:
        DataError: If a file is missing, a line is broken or a pointer leads nowhere.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __call__(self) -> KnowledgeGraph:
        synsets = read_synsets(self.path)
        senses = read_senses(self.path)
        names = [_name(synset, senses[synset.part]) for synset in synsets]
        order = sorted(range(len(names)), key=names.__getitem__)
        entities = StringTable.of([names[i] for i in order])
        ids = {synsets[i].key: new for new, i in enumerate(order)}
        relations = Vocab(sorted(RELATIONS.values()))
        version = read_version(self.path)
        about = {"name": "wordnet", "version": version, "origin": _ORIGIN, "licence": f"WordNet {version} licence"}
        labels = _labels([synsets[i] for i in order], senses, read_counts(self.path))
        return KnowledgeGraph.from_ids(entities, relations, _triples(synsets, ids, relations), labels, about)


def _name(synset: Synset, senses: dict[str, list[str]]) -> str:
    lemma = synset.lemmas[0].lower()
    return f"{lemma}.{synset.kind}.{_rank(synset, lemma, senses):02}"


def _rank(synset: Synset, lemma: str, senses: dict[str, list[str]]) -> int:
    try:
        return senses[lemma].index(synset.key) + 1
    except (KeyError, ValueError):
        raise DataError(
            f"data.{synset.part} has '{lemma}' in synset {synset.key[1:]}, but index.{synset.part} does not. "
            "The files do not belong together; install WordNet again."
        ) from None


def _triples(synsets: list[Synset], ids: dict[str, int], relations: Vocab) -> Int32[ndarray, "rows 3"]:
    kinds = {symbol: relations.id(name) for symbol, name in RELATIONS.items()} | dict.fromkeys(_INVERSES, -1)
    try:
        tails = [ids[target] for synset in synsets for target in synset.targets]
        kind = [kinds[symbol] for synset in synsets for symbol in synset.symbols]
    except KeyError as error:
        culprit = next(s for s in synsets if error.args[0] in (*s.symbols, *s.targets))
        raise DataError(
            f"data.{culprit.part}, synset {culprit.key[1:]}: pointer {error} has an unknown symbol or leads nowhere."
        ) from None
    heads = np.repeat([ids[synset.key] for synset in synsets], [len(synset.targets) for synset in synsets])
    rows = np.stack([heads, kind, tails], axis=1).astype(np.int32)
    return rows[rows[:, 1] >= 0]


def _labels(
    synsets: list[Synset], senses: dict[str, dict[str, list[str]]], counts: dict[tuple[str, str, int], int]
) -> Labels:
    import polars as pl

    names, entity, weight = [], [], []
    for i, synset in enumerate(synsets):
        for lemma in synset.lemmas:
            low = lemma.lower()
            rank = _rank(synset, low, senses[synset.part])
            names.append(lemma.replace("_", " "))
            entity.append(i)
            weight.append(counts.get((synset.part, low, rank), 0) + 1 / rank)
    pos = np.array([UPOS.id(PARTS[synset.part]) for synset in synsets], np.int8)
    return build_labels(pl.Series(names, dtype=pl.String), np.array(entity, np.int32), np.array(weight), pos)
