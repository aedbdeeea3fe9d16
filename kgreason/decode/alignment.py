"""Aligns the words of a question with a path of relations, one relation after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kgreason.errors import ConfigError

_NEVER = -1e4
#: A word that names a kind of things at least so well says that these are asked for.
_SURE = 0.6


@final
@dataclass(frozen=True, slots=True)
class Prices:
    r"""What words and relations pay that explain nothing, or are not named.

    Args:
        floor: $\tau$. A word that names a relation less well than this does not name it.
        unexplained: $\kappa$, what a word costs that nothing explains.
        named: $\rho$, what a relation gains by the word that names it best.
        step: $\mu$, what a relation costs.
        turn: What share of $\mu$ going back along a relation to others costs, where the question says *same*, *share*
            or *also*; such a question with a path that never turns pays `unexplained`.
        asked: What a path gains or loses by where it leads: to what the question asks after, or not.
        nothing: $\nu$. What following no relation at all costs, besides leaving every word unexplained.

    Raises:
        ConfigError: If one is below 0.
    """

    floor: float = 0.35
    unexplained: float = 0.35
    named: float = 1.0
    step: float = 1.0
    turn: float = 1.0
    asked: float = 0.6
    nothing: float = 0.5

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if not isinstance(value, int | float) or value < 0:
                raise ConfigError(f"[decode.prices] {f.name} = {value!r}; expected a number of at least 0.")

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "Prices":
        """Read the table.

        Raises:
            ConfigError: If it has a key that is none of the above.
        """
        known = [f.name for f in fields(cls)]
        for key in table:
            if key not in known:
                raise ConfigError(f"[decode.prices] has no '{key}'. It has: {', '.join(known)}.")
        return cls(**table)


PRICES = Prices()


@final
@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The words of questions, in several orders each.

    Args:
        names: How well each word names each directed relation; 0 where there is no word.
        sharpness: How well each word tells relations apart; see `_sharpness`.
        weight: What each word weighs; 0 for one that says nothing by itself, and where there is no word.
        kind: How well the first word names what each relation starts from.
        asks: What is asked after: the sum of what the words say (`Sense.asks`).
        turns: Whether a word hints at a path that turns back.
    """

    names: Float[Tensor, "batch orders words directed"]
    sharpness: Float[Tensor, "batch orders words"]
    weight: Float[Tensor, "batch orders words"]
    kind: Float[Tensor, "batch orders directed"]
    asks: Float[Tensor, "batch directed"]
    turns: Bool[Tensor, " batch"]

    @classmethod
    def of(cls, words: Sequence[Sequence[Any]], mentions: Sequence[Sequence[int]], directed: int) -> "Reading":
        """Put words in order.

        Args:
            words: Of each row, `(position, Sense)`.
            mentions: Of each row, the positions of its mentions; without any, they are taken to stand at the end.
            directed: How many directed relations there are.
        """
        telling = [[(t, s) for t, s in row if s.weight or bool((s.names > 0).any())] for row in words]
        longest = max([1, *map(len, telling)])
        shape = (len(words), 3, longest)
        names, weight = torch.zeros(*shape, directed), torch.zeros(shape)
        kind, asks = torch.zeros(len(words), 3, directed), torch.zeros(len(words), directed)
        for b, row in enumerate(telling):
            spots = mentions[b] or [max([0, *(t + 1 for t, _ in words[b])])]
            for o, order in enumerate(_orders([t for t, _ in row], spots)):
                for j, i in enumerate(order):
                    names[b, o, j], weight[b, o, j] = row[i][1].names, row[i][1].weight
                if order and row[order[0]][0] == min(spots) - 1:
                    kind[b, o] = row[order[0]][1].kind
            asks[b] = _asked(words[b], mentions[b], directed)
        turns = torch.tensor([any(sense.turns for _, sense in row) for row in words], dtype=torch.bool)
        return cls(names, _sharpness(names), weight, kind, asks.clamp(-1, 1), turns)


def _asked(words: Sequence[tuple[int, Any]], mentions: Sequence[int], directed: int) -> Float[Tensor, " directed"]:
    """Return what a question asks after: 1 for relations that lead to it, -1 for others, 0 if it does not say."""
    total, sought = torch.zeros(directed), -1
    for _, sense in words:
        total = total + sense.asks
    for place, sense in sorted(words, key=lambda word: word[0]):
        if sought >= 0 and sense.weight:
            leads = sense.kind.roll(len(sense.kind) // 2)  # where a relation leads, its inverse starts
            named = any(sought < t < place for t in mentions)  # what was X the director of: no directors are sought
            if float(leads.max()) >= _SURE and not named:
                total = total + torch.where(leads >= _SURE, 1.0, -1.0)
            sought = -1
        sought = place if sense.seeks else sought
    return total


def _orders(places: Sequence[int], spots: Sequence[int]) -> list[list[int]]:
    """Return words in order of their distance from a mention; before it, then after it; after it, then before it."""
    low, high = min(spots), max(spots)
    away = [low - t if t < low else t - high if t > high else 0 for t in places]
    near = sorted(range(len(places)), key=lambda i: (away[i], places[i]))
    before = [i for i in near if places[i] < low]
    after = [i for i in near if places[i] >= low]
    return [near, before + after, after + before]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Beam:
    """Paths under way.

    Args:
        explained: $y$: how well each beginning of the question, in each order, is explained; the first is empty.
        path: The directed relations followed; -1 in a place where no path is.
        parent: Which path of the beam before each goes on.
        alive: Where there is a path.
    """

    explained: Float[Tensor, "batch beam orders beginnings"]
    path: Int[Tensor, "batch beam cycles"]
    parent: Int[Tensor, "batch beam"]
    alive: Bool[Tensor, "batch beam"]

    def keep(self, those: Bool[Tensor, "batch beam"]) -> "Beam":
        """Return the beam without the paths that are not wanted."""
        return replace(self, alive=self.alive & those)


def begin(reading: Reading) -> Beam:
    """Return the empty path, which explains nothing."""
    rows, orders, words = reading.weight.shape
    explained = torch.full((rows, 1, orders, words + 1), _NEVER)
    explained[..., 0] = 0.0
    empty = torch.zeros(rows, 1, 0, dtype=torch.long)
    return Beam(explained, empty, torch.zeros(rows, 1, dtype=torch.long), torch.ones(rows, 1, dtype=torch.bool))


def extend(
    beam: Beam, reading: Reading, leaving: Bool[Tensor, "batch beam directed"], width: int, prices: Prices
) -> Beam:
    """Add one relation to every path, and keep the best.

    Args:
        beam: The paths.
        reading: The words.
        leaving: Which relations leave where each path stands.
        width: How many are kept.
        prices: See `Prices`.
    """
    rows, old, directed = leaving.shape
    y = _step(beam, reading, prices)
    # a path that ends here is judged by all words; one that goes on may leave some to what follows
    promise = torch.maximum(y.amax((-2, -1)), y[..., -1].amax(-1)).masked_fill(~leaving, _NEVER * 10)
    best, at = promise.flatten(1).topk(min(width, old * directed), dim=1)
    parent, step = at // directed, at % directed
    row = torch.arange(rows)[:, None]
    alive = best > _NEVER
    path = torch.cat([beam.path[row, parent], torch.where(alive, step, -1)[..., None]], dim=-1)
    return Beam(y[row, parent, step], path, parent, alive)


def _step(beam: Beam, reading: Reading, prices: Prices) -> Float[Tensor, "batch beam directed orders beginnings"]:
    """Return what every path explains with one more relation, whichever."""
    rows, old, _, size = beam.explained.shape
    directed = reading.names.shape[-1]
    m = reading.names.movedim(-1, 1)[:, None]  # (batch, 1, directed, orders, words)
    weight = reading.weight[:, None, None]
    sharp = m * reading.sharpness[:, None, None]
    gain = torch.where(m > prices.floor, m - prices.floor, -prices.unexplained * weight)
    cost = torch.full((rows, old, directed, 1), prices.step)
    first = beam.path.shape[-1] == 0
    if not first:
        back = (beam.path[..., -1:] - torch.arange(directed)).abs() == directed // 2
        share = torch.where(reading.turns[:, None, None], prices.turn, 1.0)
        cost = torch.where(back, prices.step * share, prices.step)[..., None]
    before = beam.explained[:, :, None].expand(-1, -1, directed, -1, -1)
    still = before[..., 0]  # in this stretch, no word has named the relation yet
    out = [before[..., 0] - cost]
    for j in range(1, size):
        g, n = gain[..., j - 1], prices.named * sharp[..., j - 1]
        kind = reading.kind.movedim(-1, 1)[:, None] if first and j == 1 else None
        here = torch.maximum(torch.maximum(out[-1] + g, still + g + n - cost), before[..., j] - cost)
        still = torch.maximum(before[..., j], still + g)
        if kind is not None:  # the film X: a word beside the mention may say what the seed is
            still = torch.where(kind > prices.floor, torch.maximum(still, kind - prices.floor), still)
            here = torch.maximum(here, still - cost)
        out.append(here)
    return torch.stack(out, dim=-1)


def _sharpness(names: Float[Tensor, "batch orders words directed"]) -> Float[Tensor, "batch orders words"]:
    r"""Return how well each word tells relations apart, $\min(1, \sqrt{2 / n})$, if it surely names $n$ of them.

    A relation and its inverse are two: *directed* is as sharp as can be; *country*, where half of all relations lead to
    countries, names none of them in particular.
    """
    many = (names > _SURE).sum(-1).clamp_min(2)
    return (2.0 / many).sqrt()


def finish(beam: Beam, reading: Reading, prices: Prices) -> Float[Tensor, "batch beam"]:
    """Return what each path is worth if it stops here; minus infinity where there is none."""
    value = beam.explained[..., -1].amax(-1)
    if beam.path.shape[-1]:
        value = value + prices.asked * reading.asks.gather(1, beam.path[..., -1].clamp_min(0))
        turned = torch.zeros_like(beam.alive)
        if beam.path.shape[-1] > 1:
            turned = (beam.path.diff(dim=-1).abs() == reading.asks.shape[1] // 2).any(-1)
        value = value - prices.unexplained * (reading.turns[:, None] & ~turned)
    return value.masked_fill(~beam.alive, -torch.inf)
