"""Train the biaffine head on a treebank, with the language model frozen."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor
from torch.nn import functional

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, Vocab
from kgreason.parse.biaffine import UNKNOWN, BiaffineHead, Parse, Sizes, spell
from kgreason.parse.sentence import Sentence, relation_id, upos_id
from kgreason.parse.states import WordStates
from kgreason.parse.tree import best_trees


@dataclass(frozen=True, slots=True)
class Treebank:
    """Sentences and the frozen states of their words, one row a word, each sentence's root first.

    Args:
        sentences: The sentences, with gold tags and trees.
        states: `(rows, layers, dim)` in float16; may be mapped from disk.
        start: The row at which each sentence's root stands.
    """

    sentences: list[Sentence]
    states: ndarray
    start: list[int]


@dataclass(frozen=True, slots=True)
class Batch:
    """A padded batch of a treebank; row 0 of each sentence is the root, -100 marks what has no gold value."""

    states: Tensor
    spelled: Tensor
    mask: Tensor
    governor: Tensor
    relation: Tensor
    upos: Tensor
    xpos: Tensor


def extract(states: WordStates, sentences: list[Sentence], file: Path, words_per_batch: int = 2000) -> Treebank:
    """Run the language model once over every sentence and keep its states in `file`, as float16.

    About 5.4 kB a word with 7 layers of width 384; the file is made anew, and can be deleted after training.
    """
    start = np.cumsum([0, *(len(s) + 1 for s in sentences)])
    shape = (int(start[-1]), states.layers, states.dim)
    rows = np.lib.format.open_memmap(file, mode="w+", dtype=np.float16, shape=shape)
    with torch.inference_mode():
        for members in by_length(sentences, words_per_batch):
            found = states([sentences[i].words for i in members]).half().numpy()
            for row, i in enumerate(members):
                rows[start[i] : start[i + 1]] = found[row, : len(sentences[i]) + 1]
    return Treebank(sentences, rows, start[:-1].tolist())


def by_length(
    sentences: Sequence[Sentence], words_per_batch: int, rng: np.random.Generator | None = None
) -> list[list[int]]:
    """Cut sentences into batches of like length; with `rng`, ties and the order of batches are random."""
    lengths = np.array([len(s) for s in sentences])
    noise = rng.uniform(-2, 2, len(lengths)) if rng is not None else np.zeros(len(lengths))
    batches: list[list[int]] = [[]]
    for i in np.argsort(lengths + noise, kind="stable").tolist():
        longest = max([lengths[i], *lengths[batches[-1]]])
        if batches[-1] and (len(batches[-1]) + 1) * (longest + 1) > words_per_batch:
            batches.append([])
        batches[-1].append(i)
    if rng is not None:
        rng.shuffle(batches)
    return [batch for batch in batches if batch]


def collect(treebank: Treebank, members: list[int], xpos: Vocab, mix: Tensor) -> Batch:
    """Return one padded batch; its layers are summed with the weights `mix`, so that a gradient reaches them."""
    sentences = [treebank.sentences[i] for i in members]
    longest = max(map(len, sentences)) + 1
    raw = np.zeros((len(members), longest, *treebank.states.shape[1:]), np.float16)
    gold = np.full((4, len(members), longest), -100, np.int64)
    mask = np.zeros((len(members), longest), bool)
    for row, (i, s) in enumerate(zip(members, sentences, strict=True)):
        n = len(s)
        raw[row, : n + 1] = treebank.states[treebank.start[i] : treebank.start[i] + n + 1]
        mask[row, : n + 1] = True
        gold[0, row, 1 : n + 1] = s.governors
        gold[1, row, 1 : n + 1] = [relation_id(name) for name in s.relations]
        gold[2, row, 1 : n + 1] = [upos_id(tag) if upos_id(tag) >= 0 else -100 for tag in s.upos]
        gold[3, row, 1 : n + 1] = [xpos.id(tag) if tag in xpos else -100 for tag in s.xpos]
    states = torch.einsum("bnld,l->bnd", torch.from_numpy(raw).bfloat16(), mix.bfloat16())
    return Batch(states, spell([s.words for s in sentences]), torch.from_numpy(mask), *map(torch.from_numpy, gold))


def loss_of(head: BiaffineHead, batch: Batch, parse: Parse) -> Tensor:
    r"""Return the mean over words of a sum of cross entropies.

    $$-\log p(g) - \log p(k \mid g) - \tfrac12 \log p(\text{upos}) - \tfrac12 \log p(\text{xpos})$$
    """
    arc = functional.nll_loss(parse.arc.flatten(0, 1), batch.governor.flatten())
    relations = head.relations(parse, batch.governor.clamp(min=0))
    parts = [(relations, batch.relation, 1.0), (parse.upos, batch.upos, 0.5), (parse.xpos, batch.xpos, 0.5)]
    return arc + sum(w * functional.cross_entropy(x.flatten(0, 1), gold.flatten()) for x, gold, w in parts)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    Args:
        epochs: Passes over the treebank.
        rate: The highest learning rate; it falls as a cosine to 0.
        words_per_batch: Words (with padding) in a batch.
        average: The decay of the running mean of the weights, which is what is kept.
        word_dropout: How often a word's own vector is hidden, so that its ends and its state must do.
        seed: Of the weights, the order and the dropout.
    """

    epochs: int = 16
    rate: float = 2e-3
    words_per_batch: int = 800
    average: float = 0.998
    word_dropout: float = 0.2
    seed: int = 0


def train(
    train_set: Treebank,
    dev_set: Treebank,
    xpos: Vocab,
    plan: Plan,
    report: Callable[[str], None],
    sizes: Sizes | None = None,
) -> BiaffineHead:
    """Train a head; keep the running mean of its weights from the epoch that scores best on `dev_set`.

    Args:
        train_set: What to train on.
        dev_set: What to choose the epoch by.
        xpos: The Penn tags that are told apart.
        plan: How to train.
        report: Told the loss and the scores after each epoch.
        sizes: Other widths than the usual; the counts in it are not read.
    """
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    _, layers, dim = train_set.states.shape
    counts = {"labels": len(DEPENDENCY_RELATIONS), "upos": len(UPOS), "xpos": len(xpos)}
    sizes = (sizes or Sizes())._replace(layers=layers, dim=dim, **counts)
    head = BiaffineHead(sizes)
    mean = {name: value.clone() for name, value in head.state_dict().items()}
    optimiser = torch.optim.AdamW(head.parameters(), lr=plan.rate, betas=(0.9, 0.95), weight_decay=1e-4, fused=True)
    steps, total = 0, plan.epochs * len(by_length(train_set.sentences, plan.words_per_batch))
    best, kept = -1.0, mean
    for epoch in range(plan.epochs):
        lost = []
        for members in by_length(train_set.sentences, plan.words_per_batch, rng):
            for group in optimiser.param_groups:
                group["lr"] = plan.rate * min(1.0, (steps + 1) / 200) * (1 + math.cos(math.pi * steps / total)) / 2
            lost.append(_step(head, optimiser, train_set, members, xpos, plan.word_dropout))
            steps += 1
            _average(mean, head.state_dict(), min(plan.average, steps / (steps + 10)))
        score = _dev_score(sizes, mean, dev_set, xpos)
        report(f"epoch {epoch + 1}/{plan.epochs}: loss {np.mean(lost):.3f}, dev {_shown(score)}")
        if score["LAS"] > best:
            best, kept = score["LAS"], {name: value.clone() for name, value in mean.items()}
    head.load_state_dict(kept)
    return head.eval()


def _step(
    head: BiaffineHead,
    optimiser: torch.optim.Optimizer,
    treebank: Treebank,
    members: list[int],
    xpos: Vocab,
    drop: float,
) -> float:
    head.train()
    batch = collect(treebank, members, xpos, head.weights())
    spelled = batch.spelled.clone()
    spelled[..., 0][torch.rand(batch.mask.shape) < drop] = UNKNOWN
    # Now and then a word is known by its spelling alone, and often a few of its state's numbers are missing.
    seen = torch.rand(batch.mask.shape) >= drop / 2
    states = functional.dropout(batch.states, 0.1) * seen[..., None]
    with torch.autocast("cpu", torch.bfloat16):
        parse = head(states, spelled, batch.mask)
        loss = loss_of(head, batch, parse)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(head.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach())


def _average(mean: dict[str, Tensor], new: dict[str, Tensor], decay: float) -> None:
    for name, value in mean.items():
        value.lerp_(new[name].detach(), 1 - decay)


def _dev_score(sizes: Sizes, weights: dict[str, Tensor], treebank: Treebank, xpos: Vocab) -> dict[str, float]:
    head = BiaffineHead(sizes)
    head.load_state_dict(weights)
    return evaluate(head.eval(), treebank, xpos)


def _shown(score: dict[str, float]) -> str:
    return ", ".join(f"{name} {100 * value:.2f}" for name, value in score.items())


def predict(head: BiaffineHead, treebank: Treebank, xpos: Vocab) -> Iterator[tuple[Batch, Tensor, Tensor, Parse]]:
    """Yield each batch with its predicted governors and relations, and the raw parse."""
    with torch.inference_mode():
        for members in by_length(treebank.sentences, 4000):
            batch = collect(treebank, members, xpos, head.weights())
            with torch.autocast("cpu", torch.bfloat16):
                parse = head(batch.states, batch.spelled, batch.mask)
                governor = torch.from_numpy(best_trees(parse.arc.numpy(), batch.mask.sum(1).numpy()))
                relation = head.relations(parse, governor).argmax(-1)
            yield batch, governor, relation, parse


def evaluate(head: BiaffineHead, treebank: Treebank, xpos: Vocab) -> dict[str, float]:
    """Return UAS, LAS (main relation), UPOS and XPOS accuracy with gold words and sentences, punctuation included."""
    right = np.zeros(4)
    words = 0
    for batch, governor, relation, parse in predict(head, treebank, xpos):
        gold = batch.relation >= 0
        arc = (governor == batch.governor) & gold
        right += [
            int(arc.sum()),
            int((arc & (relation == batch.relation)).sum()),
            int(((parse.upos.argmax(-1) == batch.upos) & gold).sum()),
            int(((parse.xpos.argmax(-1) == batch.xpos) & gold).sum()),
        ]
        words += int(gold.sum())
    return dict(zip(("UAS", "LAS", "UPOS", "XPOS"), (right / max(words, 1)).tolist(), strict=True))
