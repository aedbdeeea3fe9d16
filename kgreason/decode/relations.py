"""How the relations of a knowledge graph are told apart: by what they are, or by what they are called."""

from collections.abc import Callable
from typing import Protocol, final, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kgreason.registry import Registry


@runtime_checkable
class RelationScores(Protocol):
    """Scores every directed relation for what the decoder looks for: the inverse of relation `r` is `r + relations`."""

    def __call__(self, wanted: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch directed"]: ...


@final
class IdScores(nn.Module):
    """A vector of its own for each directed relation, learned: $f(x) = W x + b$. A relation not seen gets no sense."""

    def __init__(self, dim: int, num_relations: int) -> None:
        super().__init__()
        self.score = nn.Linear(dim, 2 * num_relations)

    def forward(self, wanted: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch directed"]:
        found: Tensor = self.score(wanted)
        return found


@final
class TextScores(nn.Module):
    r"""Relations by their texts, so that one never seen in training can be followed.

    $$f(x)_r = \frac{(A x)^\top B v_r}{\sqrt{d}} \quad \text{forward}, \qquad
      f(x)_{r + R} = \frac{(A' x)^\top B' v_r}{\sqrt{d}} \quad \text{backward}$$

    with $v_r$ the language model's vector of what relation $r$ is called. `ids = true` adds `IdScores`, which
    start at 0.

    Args:
        dim: Width of what is looked for.
        num_relations: $R$.
        relation_vectors: Gives $v$, (relations, width).
        ids: Whether relations also have weights of their own.
        dropout: Share of $v$ that is dropped in training.
    """

    def __init__(
        self,
        dim: int,
        num_relations: int,
        relation_vectors: Callable[[], Tensor],
        ids: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        vectors = relation_vectors()
        self.register_buffer("vectors", vectors, persistent=False)
        self.vectors: Tensor
        self.wanted, self.text = nn.Linear(dim, 2 * dim), nn.Linear(vectors.shape[1], 2 * dim)
        self.ids = IdScores(dim, num_relations) if ids else None
        if self.ids is not None:
            nn.init.zeros_(self.ids.score.weight)
        self.drop = nn.Dropout(dropout)

    def forward(self, wanted: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch directed"]:
        x, v = self.wanted(wanted), self.text(self.drop(self.vectors))
        width = x.shape[-1] // 2
        both = [x[:, i : i + width] @ v[:, i : i + width].T for i in (0, width)]
        found: Tensor = torch.cat(both, dim=-1) / width**0.5
        return found if self.ids is None else found + self.ids(wanted)


RELATION_SCORES: Registry[RelationScores] = Registry("decode.relations", ids=IdScores, texts=TextScores)


@runtime_checkable
class RelationVectors(Protocol):
    """Gives a vector to every directed relation: the inverse of relation `r` is `r + relations`."""

    def __call__(self) -> Float[Tensor, "directed dim"]: ...


@final
class IdVectors(nn.Module):
    """A vector of its own for each directed relation, learned. A relation not seen gets no sense."""

    def __init__(self, dim: int, num_relations: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.randn(2 * num_relations, dim))

    def forward(self) -> Float[Tensor, "directed dim"]:
        return self.vector


@final
class TextVectors(nn.Module):
    r"""$A v_r$ forward and $A' v_r$ backward, of the texts of relations, so that one never seen can be followed.

    Args:
        dim: Width of the vectors.
        num_relations: How many relations there are.
        relation_vectors: Gives $v$, the language model's vectors of what relations are called, (relations, width).
        ids: Whether relations also have vectors of their own, which start at 0.
        dropout: Share of $v$ that is dropped in training.
    """

    def __init__(
        self,
        dim: int,
        num_relations: int,
        relation_vectors: Callable[[], Tensor],
        ids: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        vectors = relation_vectors()
        self.register_buffer("vectors", vectors, persistent=False)
        self.vectors: Tensor
        self.text, self.drop = nn.Linear(vectors.shape[1], 2 * dim), nn.Dropout(dropout)
        self.ids = nn.Parameter(torch.zeros(2 * num_relations, dim)) if ids else None

    def forward(self) -> Float[Tensor, "directed dim"]:
        found: Tensor = torch.cat(self.text(self.drop(self.vectors)).chunk(2, dim=-1))
        return found if self.ids is None else found + self.ids


RELATION_VECTORS: Registry[RelationVectors] = Registry("decode.relations", ids=IdVectors, texts=TextVectors)
