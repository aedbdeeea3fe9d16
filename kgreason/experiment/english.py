"""English for a knowledge graph: what its relations are called, said as people say it."""

import contextlib
import hashlib
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.encode import embed_texts
from kgreason.errors import StoreError
from kgreason.knowledge import open_graph
from kgreason.places import cache_folder, shipped
from kgreason.pretrained import load_tokenizer
from kgreason.tasks.lexicon import Lexicon
from kgreason.tasks.phrases import Phrases
from kgreason.whole import new_file

#: So many of the nouns near a text are looked at.
_NEAR = 20
#: Words of the tokenizer are taken up to this id: where words stand in the order of their frequency, the frequent ones.
_COMMON = 8_000


@lru_cache(2)
def lexicon(model: str) -> Lexicon:
    """Return what WordNet knows of English words; those in daily use are the frequent ones of the tokenizer.

    Raises:
        StoreError: If the graph or its list of irregular forms is missing.
    """
    path = shipped("graphs") / "wordnet-exceptions.tsv"
    try:
        rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}. Reinstall kgreason.") from error
    irregular: dict[tuple[str, str], str] = {}
    for kind, form, lemma in rows:
        irregular.setdefault((kind, form), lemma)
    return Lexicon(open_graph("wordnet"), irregular, _common(model))


def phrases(knowledge: KnowledgeGraph, model: str) -> Phrases:
    """Return the phrases of a graph's relations; what its entities are is guessed by the language model `model`."""
    return Phrases(knowledge, lexicon(model), partial(_nouns_near, model))


def _nouns_near(model: str, text: str) -> Sequence[str]:
    """Return common nouns near a text in meaning, the nearest first."""
    words, vectors = _nouns(model)
    near = vectors @ _unit(embed_texts([text], model).numpy())[0]
    return [words[i] for i in np.argsort(-near, kind="stable")[:_NEAR]]


@lru_cache(2)
def _nouns(model: str) -> tuple[list[str], ndarray]:
    """Return the nouns among the frequent words of the tokenizer, and their vectors; kept in the cache."""
    nouns = [word for word in _common(model) if lexicon(model).is_noun(word)]
    key = hashlib.sha256("\n".join([model, *nouns]).encode()).hexdigest()[:24]
    path = cache_folder() / "nouns" / f"{key}.npy"
    try:
        found = np.load(path)
    except (OSError, ValueError, EOFError):
        found = np.zeros(0)
    if len(found) != len(nouns):
        found = _unit(embed_texts(nouns, model).numpy()) if nouns else np.zeros((0, 1), np.float32)
        _keep(path, found)
    return nouns, found


@lru_cache(2)
def _common(model: str) -> list[str]:
    """Return the frequent words of the tokenizer, the most frequent first."""
    ids = load_tokenizer(model).get_vocab()
    words = [word for word, i in ids.items() if i < _COMMON and len(word) > 2 and word.isalpha()]
    return sorted(words, key=ids.__getitem__)


def _keep(path: Path, array: ndarray) -> None:
    """Write an array at once; a cache that cannot be written costs time, not results."""
    with contextlib.suppress(OSError), new_file(path) as file:
        np.save(file, array)


def _unit(vectors: ndarray) -> ndarray:
    found: ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return found
