"""Seeds by meaning: labels whose vectors lie near that of a span. Loads torch; only `SeedsGrounder` imports it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Float16, Float32, Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.data.vocab import Names
from kgreason.errors import StoreError
from kgreason.ground.cut import Cut
from kgreason.ground.evidence import Weights
from kgreason.ground.exact import Matches
from kgreason.places import cache_folder
from kgreason.pretrained import load_model, load_tokenizer
from kgreason.runtime import autocast_type
from kgreason.whole import new_file

#: Cosines below count as nothing; labels kept of a span; words of a span; pieces of a text that are read.
_LEAST, _MOST, _LONGEST, _PIECES = 0.6, 4, 6, 64
_CHUNK = 65_536


@final
class TextVectors:
    r"""The vector of a text: the mean of the language model's last states, of length 1.

    $$v = \frac{m}{\lVert m \rVert}, \qquad m = \frac{1}{|P|} \sum_{p \in P} \mathrm{LM}(p)$$

    Args:
        model: What `kgreason.pretrained.load_model` takes.
        batch_size: Texts to read at once, those of like length together.

    Raises:
        MissingExtraError: If the model's package is not installed.
    """

    def __init__(self, model: str = "minilm", batch_size: int = 256) -> None:
        self.model, self.batch_size = model, batch_size
        self._tokenizer = load_tokenizer(model)
        self._lm = load_model(model).requires_grad_(False)
        self.width = int(self._lm.config.hidden_size)

    def __call__(self, texts: Sequence[str]) -> Float32[ndarray, "texts width"]:
        """Return one row for each text."""
        vectors = np.zeros((len(texts), self.width), np.float32)
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        ids = [found.ids[:_PIECES] for found in self._tokenizer.encode_batch(clean)]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for at in range(0, len(order), self.batch_size):
            part = order[at : at + self.batch_size]
            vectors[part] = self._batch([ids[i] for i in part])
        return vectors

    def _batch(self, rows: list[list[int]]) -> Float32[ndarray, "texts width"]:
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        mask = torch.arange(width) < torch.tensor([[len(row)] for row in rows])
        kind = autocast_type("auto")
        with torch.inference_mode(), torch.autocast("cpu", dtype=kind or torch.bfloat16, enabled=kind is not None):
            states = self._lm(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return np.asarray(torch.nn.functional.normalize(mean, dim=-1).numpy())


@final
class DenseIndex:
    r"""Finds labels whose vectors have a cosine of at least 0.6 with that of a span of up to six words.

    The label is like the span by $q = (\cos - 0.5) / 0.5$. Label vectors are kept in the cache folder as float16, by a
    hash of the labels and the model's name, and mapped from there.

    Args:
        encode: Makes the vectors.
        knowledge: Its labels. The language model reads each once: a minute for 50,000, the first time.

    Raises:
        StoreError: If the vectors cannot be written.
    """

    def __init__(self, encode: TextVectors, knowledge: KnowledgeGraph) -> None:
        self.encode = encode
        self.vectors = _stored(encode, knowledge.labels.names)

    def matches(self, cut: Cut, weights: Weights, wanted: Bool[ndarray, " units"]) -> Matches:
        """Return the spans of texts that are near to labels.

        Args:
            cut: The texts.
            weights: Of their units; a span neither begins nor ends with a unit that has little.
            wanted: Of each unit, whether its text is to be looked at.
        """
        first, last = _spans(cut, weights, wanted)
        if not len(first):
            return Matches.none()
        texts = [_between(cut, a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
        distinct = list(dict.fromkeys(texts))
        place = {text: i for i, text in enumerate(distinct)}
        label, cosine = self.nearest(self.encode(distinct))
        row = np.array([place[text] for text in texts])
        span, rank = np.nonzero(cosine[row] >= _LEAST)
        like = np.minimum((cosine[row[span], rank] - 0.5) / 0.5, 1.0).astype(np.float64)
        found = label[row[span], rank].astype(np.int32)
        return Matches(first[span], last[span], found, like, np.zeros(len(span), np.bool_))

    def nearest(
        self, wanted: Float32[ndarray, "texts width"]
    ) -> tuple[Int64[ndarray, "texts found"], Float32[ndarray, "texts found"]]:
        """Return the labels nearest to each vector, the nearest first, and their cosines; in chunks of the labels."""
        best = np.zeros((len(wanted), 0), np.float32)
        label = np.zeros((len(wanted), 0), np.int64)
        for start in range(0, len(self.vectors), _CHUNK):
            cosine = wanted @ np.asarray(self.vectors[start : start + _CHUNK], np.float32).T
            best = np.hstack([best, cosine])
            label = np.hstack([label, np.broadcast_to(np.arange(start, start + cosine.shape[1]), cosine.shape)])
            most = min(_MOST, best.shape[1])
            top = np.argpartition(-best, most - 1, axis=1)[:, :most]
            best, label = np.take_along_axis(best, top, 1), np.take_along_axis(label, top, 1)
        order = np.argsort(-best, axis=1, kind="stable")
        return np.take_along_axis(label, order, 1), np.take_along_axis(best, order, 1)


def _spans(
    cut: Cut, weights: Weights, wanted: Bool[ndarray, " units"]
) -> tuple[Int64[ndarray, " spans"], Int64[ndarray, " spans"]]:
    """Return all runs of up to six units in one text that begin and end with a telling one."""
    telling = np.flatnonzero(wanted & weights.content)
    first = np.repeat(telling, _LONGEST)
    last = first + np.tile(np.arange(_LONGEST), len(telling))
    inside = last < len(cut)
    first, last = first[inside], last[inside]
    keep = weights.content[last] & (cut.segment[first] == cut.segment[last])
    return first[keep], last[keep]


def _between(cut: Cut, first: int, last: int) -> str:
    """Return the characters of a run of units, with one space where there is room between two."""
    told = cut.text[first]
    for i in range(first + 1, last + 1):
        told += " " * int(cut.place[i, 1] > cut.place[i - 1, 2]) + cut.text[i]
    return told


def _stored(encode: TextVectors, names: Names) -> Float16[ndarray, "labels width"]:
    """Map the vectors of all labels from the cache, made first if they are not there."""
    listed = list(names)
    digest = hashlib.sha256(f"kgreason-labels-1 {encode.model}".encode())
    digest.update("\0".join(listed).encode("utf-8", "surrogatepass"))
    path = cache_folder() / "labels" / f"{digest.hexdigest()[:24]}.npy"
    try:
        if not path.is_file():
            _write(path, encode(listed).astype(np.float16))
        found = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise StoreError(
            f"The vectors of the labels could not be kept in {path}: {error}. "
            "Free some space, delete the file, or set KGREASON_CACHE to another folder."
        ) from error
    if found.shape != (len(listed), encode.width):
        raise StoreError(f"{path} has {found.shape} numbers, expected ({len(listed)}, {encode.width}). Delete it.")
    return found  # type: ignore[no-any-return]


def _write(path: Path, vectors: Float16[ndarray, "labels width"]) -> None:
    with new_file(path) as file:
        np.save(file, vectors)
