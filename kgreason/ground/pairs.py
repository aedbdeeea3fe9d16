"""A reader of relations between people, taught from stories whose facts are known. Loads torch."""

import hashlib
import json
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, final

import numpy as np
import torch
from jaxtyping import Float64
from numpy import ndarray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from kgreason.errors import DataError, StoreError
from kgreason.ground.pairnet import PairNet
from kgreason.ground.tales import Pieces, Right, Tale, call, choose, join, spell
from kgreason.pretrained import load_tokenizer
from kgreason.runtime import autocast_type
from kgreason.whole import write_whole

#: Word pieces in one step of learning, and at once when reading.
_STEP, _BATCH = 600, 6000
#: Rates of AdamW for the language model and for what is on top of it; steps until they are reached, as a share.
_RATES, _WARM, _DECAY = (2e-4, 1e-3), 0.06, 0.01
#: How many stories are told as one, and how often.
_TOLD = ((1, 2, 3), (0.5, 0.3, 0.2))
_Key = TypeVar("_Key")
_Lesson = tuple[Right, Pieces, int]
#: Makes so many more stories, with what they state.
Teller = Callable[[np.random.Generator, int], Sequence[tuple[Tale, Right]]]
#: How often someone's gender is drawn as if her name told nothing; what it counts that a pair has no relation.
_UNSURE, _NONE = 0.1, 0.7


@final
class PairReader:
    r"""Reads how sure a text makes each relation between any two people it mentions (see `PairNet`).

    It is taught to make $-\sum_{x \ne z} w_{xz} \log \sum_{r \text{ right}} p_{xz}(r)$ small, with $w = 0.7$ where no
    relation is right. Each time a story is read, its people are called by other common names, of the gender that their
    own names have; often stories are told together, as one, so that people of different stories have no relation.

    Args:
        relations: What the relations are called.
        model: The language model, see `PairNet`.
        seed: Of the first weights and of all that is drawn.
    """

    def __init__(self, relations: Sequence[str], model: str = "minilm", seed: int = 0) -> None:
        self.relations, self.model, self.seed = tuple(relations), model, seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net = PairNet(len(self.relations), model).eval()
        self._most = int(getattr(self.net.lm.config, "max_position_embeddings", 512))

    def learn(
        self, stories: Sequence[tuple[Tale, Right]], passes: int, more: Teller | None = None, share: float = 0.0
    ) -> None:
        """Learn from stories and what they state; relations are numbered from 1, in the order of `relations`.

        In each pass every wording of a sentence is read about once, see `tales.choose`.

        Args:
            stories: The stories.
            passes: How often they are read.
            more: Makes more stories; other ones in each pass.
            share: How many of these are read for one of the others.

        Raises:
            DataError: If no story states anything.
        """
        stories = [story for story in stories if len(story[0].female) > 1]
        if not any(right for _, right in stories):
            raise DataError("no story states a relation between two people it mentions; give 'facts' beside 'story'.")
        draw = np.random.default_rng(self.seed)
        tuned, own = _parts(self.net)
        groups = [{"params": p, "lr": rate} for p, rate in zip((tuned, own), _RATES, strict=True)]
        optimiser = torch.optim.AdamW(groups, weight_decay=_DECAY)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.net.train()
            for k in range(passes):
                chosen = [stories[i] for i in choose([tale for tale, _ in stories], draw)]
                batches = self._lessons([*chosen, *(more(draw, round(share * len(chosen))) if more else ())], draw)
                for i, batch in enumerate(batches):
                    done = (k + i / len(batches)) / passes
                    for group, rate in zip(optimiser.param_groups, _RATES, strict=True):
                        group["lr"] = rate * min(1.0, done / _WARM + 1e-3) * (1 - done)
                    optimiser.zero_grad()
                    self._loss(batch).backward()  # type: ignore[no-untyped-call]
                    nn.utils.clip_grad_norm_([*tuned, *own], 1.0)
                    optimiser.step()
            self.net.eval()
        with torch.no_grad():  # as it will be read back from a file
            for weight in (*tuned, *own):
                weight.copy_(weight.bfloat16())

    def read(self, tales: Sequence[Tale]) -> list[Float64[ndarray, "people people classes"]]:
        """Return the probability of no relation (first) and of each, from each person to each other one.

        The names that people are called by follow from the words of a story, not from what else is read.
        """
        found = [np.ones((len(t.female), len(t.female), len(self.relations) + 1)) for t in tales]
        read = [
            (i, self._spell(tale, np.random.default_rng([self.seed, _number(tale)])), len(tale.female))
            for i, tale in enumerate(tales)
            if len(tale.female) > 1
        ]
        for part in _by_length(read, _BATCH):
            with torch.inference_mode(), _cast():
                scores = self.net([text for _, text, _ in part], [many for *_, many in part])
            for (i, *_), score in zip(part, scores, strict=True):
                found[i] = score.double().softmax(-1).numpy()
        return [p / p.sum(-1, keepdims=True) for p in found]

    def _lessons(self, stories: Sequence[tuple[Tale, Right]], draw: np.random.Generator) -> list[list[_Lesson]]:
        lessons, order, at = [], draw.permutation(len(stories)).tolist(), 0
        while at < len(order):
            many = int(draw.choice(_TOLD[0], p=_TOLD[1]))
            tale, right = join([stories[i] for i in order[at : at + many]], draw)
            lessons.append((right, self._spell(tale, draw, _UNSURE), len(tale.female)))
            at += many
        batches = list(_by_length(lessons, _STEP))
        return [batches[i] for i in draw.permutation(len(batches)).tolist()]

    def _spell(self, tale: Tale, draw: np.random.Generator, unsure: float = 0.0) -> Pieces:
        return spell(call(tale, draw, unsure), tale.who, _pieces_of(self.model), self._most)

    def _loss(self, batch: Sequence[_Lesson]) -> Tensor:
        with _cast():
            scores = self.net([text for _, text, _ in batch], [many for *_, many in batch])
        losses = []
        for (right, _, many), score in zip(batch, scores, strict=True):
            allowed = torch.zeros_like(score, dtype=torch.bool)
            allowed[..., 0] = True
            for (x, z), relations in right.items():
                allowed[x, z] = False
                allowed[x, z, list(relations)] = True
            log = score.log_softmax(-1).masked_fill(~allowed, -math.inf).logsumexp(-1)
            weight = torch.where(allowed[..., 0], _NONE, 1.0).fill_diagonal_(0.0)
            losses.append(-(log * weight).sum() / max(1, many - 1))
        return torch.stack(losses).mean()

    def save(self, path: Path) -> None:
        """Write what it has learned to a file, whole or not at all; frozen weights are those of the language model.

        Raises:
            StoreError: If it cannot be written.
        """
        told = {"relations": json.dumps(self.relations), "model": self.model, "seed": str(self.seed)}
        weights = {n: p.detach().bfloat16().contiguous() for n, p in self.net.named_parameters() if p.requires_grad}
        try:
            write_whole(path, save(weights, told))
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}.") from error

    @classmethod
    def load(cls, path: Path) -> "PairReader":
        """Read what `save` wrote.

        Raises:
            StoreError: If the file is missing or damaged.
        """
        try:
            with safe_open(path, "pt") as file:
                told = file.metadata()
                reader = cls(json.loads(told["relations"]), told["model"], int(told["seed"]))
                found = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no mapping
            lost = {n for n, p in reader.net.named_parameters() if p.requires_grad} ^ set(found)
            if lost:
                raise StoreError(f"{path} lacks the weights '{min(lost)}', or has them too many.")
            reader.net.load_state_dict(found, strict=False)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise StoreError(
                f"{path} is no learned reader, or is damaged: {error}. Run the experiment again."
            ) from error
        return reader

    def identity(self) -> str:
        """Return a hash of what was learned."""
        digest = hashlib.sha256()
        for name, weight in self.net.named_parameters():
            if weight.requires_grad:
                digest.update(name.encode() + weight.detach().bfloat16().view(torch.int16).numpy().tobytes())
        return digest.hexdigest()


def _parts(net: PairNet) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the weights of the language model that are tuned, and those on top of it."""
    of_lm = list(net.lm.parameters())
    inside = {id(p) for p in of_lm}
    return [p for p in of_lm if p.requires_grad], [p for p in net.parameters() if id(p) not in inside]


def _number(tale: Tale) -> int:
    return zlib.crc32(" ".join(tale.words).encode("utf-8", "replace"))


def _cast() -> torch.autocast:
    kind = autocast_type("auto")
    return torch.autocast("cpu", dtype=kind or torch.bfloat16, enabled=kind is not None)


def _by_length(rows: Sequence[tuple[_Key, Pieces, int]], most: int) -> Iterator[list[tuple[_Key, Pieces, int]]]:
    """Yield rows, those of like length together, at most so many pieces at once with what fills them up."""
    part: list[tuple[_Key, Pieces, int]] = []
    for row in sorted(rows, key=lambda row: len(row[1].ids)):
        if part and (len(part) + 1) * len(row[1].ids) > most:
            yield part
            part = []
        part.append(row)
    if part:
        yield part


@lru_cache(4)
def _pieces_of(model: str) -> Callable[[str], tuple[int, ...]]:
    tokenizer = load_tokenizer(model)

    @lru_cache(100_000)
    def pieces(word: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(word, add_special_tokens=not word).ids)

    return pieces
