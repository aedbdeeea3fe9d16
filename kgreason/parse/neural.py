"""The trained parser: a biaffine head over a frozen language model, read from one file."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, Vocab
from kgreason.errors import ConfigError, StoreError
from kgreason.parse.biaffine import BiaffineHead, Sizes, spell
from kgreason.parse.lemma import Lemmatiser, dump, load
from kgreason.parse.sentence import Parsed
from kgreason.parse.states import MAX_PIECES, WordStates
from kgreason.parse.tree import best_trees
from kgreason.runtime import Precision, autocast_type
from kgreason.whole import write_whole

_FORMAT = "kgreason-parser-1"


def save_parser(file: Path, head: BiaffineHead, xpos: Vocab, lemmatiser: Lemmatiser, about: dict[str, str]) -> None:
    """Write a parser as one safetensors file, weights in float16; whole or not at all.

    Args:
        file: Where to.
        head: The trained head.
        xpos: The Penn tags, in the order of the head's outputs.
        lemmatiser: Its tables.
        about: What to keep beside it: the language model as `model`, the treebank, its licence, the scores.
    """
    tensors = {name: value.detach().half().contiguous() for name, value in head.state_dict().items()}
    tensors["lemmas"] = torch.frombuffer(bytearray(dump(lemmatiser)), dtype=torch.uint8)
    facts = {"format": _FORMAT, "sizes": json.dumps(head.sizes._asdict()), "xpos": " ".join(xpos)}
    data = save(tensors, {**about, **facts})
    write_whole(file, data)


@final
class NeuralParser:
    """Parses and tags sentences that are already cut into words.

    Args:
        file: A file that `save_parser` wrote.
        precision: `bfloat16` or `float32`; `auto` takes the first where the processor computes in it.
        device: Where to compute, as torch names it.
        pieces_per_batch: Word pieces (with padding) to parse at once.

    Raises:
        StoreError: If the file is missing, truncated, or no parser of this version.
        ConfigError: If the device does not exist, or the precision is none of the three.
    """

    def __init__(self, file: Path, precision: Precision, device: str, pieces_per_batch: int) -> None:
        facts, tensors, self.fingerprint = _read(file)
        self.about = facts
        self.xpos = Vocab(facts["xpos"].split(" "))
        self.lemmatiser = load(tensors.pop("lemmas").numpy().tobytes(), str(file))
        self.pieces_per_batch = pieces_per_batch
        self.device = _device(device)
        self.half = autocast_type(precision, device)
        head = BiaffineHead(Sizes(**json.loads(facts["sizes"])))
        head.load_state_dict({name: value.float() for name, value in tensors.items()})
        self.head = head.eval().to(self.device)
        self.states = WordStates(facts["model"], head.sizes.layers, self.device)
        if self.states.dim != head.sizes.dim:
            raise StoreError(
                f"{file} was trained on states of width {head.sizes.dim}, but '{facts['model']}' is "
                f"{self.states.dim} wide. Train the parser again on this model: kgreason parser train"
            )

    def fit_length(self, words: Sequence[str]) -> int:
        """Return how many of the first words the language model can read at once; at least one."""
        total = 0
        for i, pieces in enumerate(self.states.pieces(words)):
            total += len(pieces)
            if total > MAX_PIECES:
                return max(i, 1)
        return len(words)

    def __call__(self, sentences: Sequence[tuple[str, ...]]) -> list[Parsed]:
        """Parse sentences of at least one word, those of like length together.

        Args:
            sentences: The words of each, without NUL or lone surrogates, no longer than `fit_length` allows.
        """
        size = [sum(map(len, self.states.pieces(words))) + 2 for words in sentences]
        order = sorted(range(len(sentences)), key=size.__getitem__)
        found: dict[int, Parsed] = {}
        first = 0
        while first < len(order):
            last = first + 1
            while last < len(order) and (last - first + 1) * size[order[last]] <= self.pieces_per_batch:
                last += 1
            members = order[first:last]
            found.update(zip(members, self._batch([sentences[i] for i in members]), strict=True))
            first = last
        return [found[i] for i in range(len(sentences))]

    @torch.inference_mode()
    def _batch(self, sentences: list[tuple[str, ...]]) -> list[Parsed]:
        lengths = torch.tensor([len(words) + 1 for words in sentences], device=self.device)
        mask = torch.arange(int(lengths.max()), device=self.device) < lengths[:, None]
        with torch.autocast(self.device.type, self.half or torch.bfloat16, enabled=self.half is not None):
            states = self.states.mixed(sentences, self.head.weights())
            parse = self.head(states, spell(sentences).to(self.device), mask)
            trees = best_trees(parse.arc.cpu().numpy(), lengths.cpu().numpy())
            relations = self.head.relations(parse, torch.from_numpy(trees).to(self.device))
        relations[..., : DEPENDENCY_RELATIONS.id("root") + 1] = -torch.inf  # `root` and `next` join no two words
        columns = (trees.tolist(), *(x.argmax(-1).tolist() for x in (relations, parse.upos, parse.xpos)))
        return [self._parsed(words, *rows) for words, *rows in zip(sentences, *columns, strict=True)]

    def _parsed(
        self, words: tuple[str, ...], governor: list[int], relation: list[int], upos: list[int], xpos: list[int]
    ) -> Parsed:
        places = range(1, len(words) + 1)
        tags = tuple(UPOS[upos[w]] for w in places)
        penn = tuple(self.xpos[xpos[w]] for w in places)
        return Parsed(
            governors=tuple(governor[1 : len(words) + 1]),
            relations=tuple(DEPENDENCY_RELATIONS[relation[w]] if governor[w] else "root" for w in places),
            upos=tags,
            xpos=penn,
            lemmas=tuple(map(self.lemmatiser, words, tags, penn)),
        )


def _read(file: Path) -> tuple[dict[str, str], dict[str, torch.Tensor], str]:
    if not file.is_file():
        raise StoreError(
            f"{file} is missing. Reinstall kgreason, or make it: kgreason parser train --data DIR --out {file}"
        )
    try:
        with safe_open(file, "pt") as opened:
            facts: dict[str, str] = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # no mapping
    except SafetensorError as error:
        raise StoreError(f"{file} cannot be read: {error}. Reinstall kgreason, or train the parser again.") from error
    if facts.get("format") != _FORMAT:
        raise StoreError(
            f"{file} has the format '{facts.get('format')}', expected '{_FORMAT}': it is no parser of this version."
        )
    return facts, tensors, hashlib.sha256(file.read_bytes()).hexdigest()


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device = '{name}' cannot be used here: {str(error).splitlines()[0]}") from error
    return device
