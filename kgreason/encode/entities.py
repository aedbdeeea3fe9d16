"""A vector for every entity of the knowledge graph: none, learned, or what the language model makes of its label."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor, nn

from kgreason.errors import StoreError
from kgreason.places import cache_folder
from kgreason.pretrained import load_model, load_tokenizer
from kgreason.runtime import autocast_type


@runtime_checkable
class EntityVectors(Protocol):
    """What `encode` asks of entity vectors: one for each id; 0 for the id `-1`, which is no entity."""

    def __call__(self, entity: Int[Tensor, " nodes"]) -> Float[Tensor, "nodes dim"]: ...


@final
class NoEntities(nn.Module):
    """Says nothing about any entity. Its relations to the words remain.

    Args:
        dim: Width.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, entity: Int[Tensor, " nodes"]) -> Float[Tensor, "nodes dim"]:
        return torch.zeros(len(entity), self.dim, device=entity.device)


@final
class LearnedEntities(nn.Module):
    """A learned vector per entity; says nothing about entities that training has not met.

    Args:
        dim: Width.
        num_entities: How many entities the graph has.
    """

    def __init__(self, dim: int, num_entities: int) -> None:
        super().__init__()
        self.table = nn.Embedding(num_entities + 1, dim, padding_idx=0)
        with torch.no_grad():
            self.table.weight.normal_(0, dim**-0.5)[0] = 0

    def forward(self, entity: Int[Tensor, " nodes"]) -> Float[Tensor, "nodes dim"]:
        found: Tensor = self.table(entity + 1)
        return found


@final
class LabelEntities(nn.Module):
    r"""What the language model makes of the entity's label: $W\,\mathrm{mean}(\mathrm{LM}(\text{label}))$.

    Vectors are computed when an entity is first met, and kept on disk as float16, by a hash of the labels and the
    model's name; any number of processes may share the file (what two compute at once is the same). Only $W$ is
    trained.

    Args:
        dim: Width.
        entity_labels: What each entity is called; the position is the id.
        model: The language model.
        batch_size: How many labels it reads at once.

    Raises:
        StoreError: If the file cannot be made.
    """

    def __init__(self, dim: int, entity_labels: Sequence[str], model: str = "minilm", batch_size: int = 256) -> None:
        super().__init__()
        self._labels, self._model, self.batch_size = entity_labels, model, batch_size
        self._lm: tuple[nn.Module, ...] = ()
        self._table, self._done = _open(entity_labels, model)
        self.project = nn.Linear(self._table.shape[1], dim, bias=False)

    def forward(self, entity: Int[Tensor, " nodes"]) -> Float[Tensor, "nodes dim"]:
        ids = entity.cpu().numpy()
        known = ids >= 0
        self.warm(np.unique(ids[known]))
        rows = np.zeros((len(ids), self._table.shape[1]), np.float16)
        rows[known] = self._table[ids[known]]
        found: Tensor = self.project(torch.from_numpy(rows).to(entity.device).float())
        return found

    def warm(self, ids: ndarray) -> None:
        """Compute the vectors of these entities, if they are not there yet."""
        todo = ids[self._done[ids] == 0]
        for at in range(0, len(todo), self.batch_size):
            part = todo[at : at + self.batch_size]
            self._table[part] = self._encode([self._labels[i] for i in part.tolist()])
            self._done[part] = 1  # after the row itself

    def _encode(self, labels: list[str]) -> ndarray:
        if not self._lm:
            self._lm = (load_model(self._model).requires_grad_(False).eval(),)
        return np.asarray(_mean_states(labels, self._lm[0], self._model).half().numpy())


def embed_texts(texts: Sequence[str], model: str = "minilm", batch_size: int = 256) -> Float[Tensor, "texts width"]:
    """Return the mean of the language model's states of each text, special tokens included."""
    lm = load_model(model).requires_grad_(False).eval()
    parts = [texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]
    return torch.cat([_mean_states(part, lm, model) for part in parts])


def _mean_states(texts: Sequence[str], lm: nn.Module, model: str) -> Float[Tensor, "texts width"]:
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    found = [e.ids[:64] for e in load_tokenizer(model).encode_batch(clean)]
    width = max(map(len, found))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in found])
    mask = torch.arange(width) < torch.tensor([[len(row)] for row in found])
    kind = autocast_type("auto")
    with torch.no_grad(), torch.autocast("cpu", dtype=kind or torch.bfloat16, enabled=kind is not None):
        states = lm(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()
    mean: Tensor = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return mean


def _open(labels: Sequence[str], model: str) -> tuple[ndarray, ndarray]:
    """Map the table (entities, width) and the column that says which rows are filled."""
    digest = hashlib.sha256(model.encode())
    for label in labels:
        digest.update(label.encode("utf-8", "surrogatepass") + b"\0")
    folder = cache_folder() / "entities" / digest.hexdigest()[:24]
    width = int(load_model(model).config.hidden_size)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = max(len(labels), 1)
        table = _grown(folder / "vectors.f16", 2 * rows * width)
        done = _grown(folder / "done.u8", rows)
        return np.memmap(table, np.float16, "r+", shape=(rows, width)), np.memmap(done, np.uint8, "r+", shape=(rows,))
    except OSError as error:
        raise StoreError(
            f"The vectors of the entities could not be kept in {folder}: {error.strerror or error}. "
            "Free some space, or set KGREASON_CACHE to another folder."
        ) from error


def _grown(path: Path, size: int) -> Path:
    with path.open("ab") as file:
        if path.stat().st_size < size:
            file.truncate(size)  # zeros that take no room until they are written
    return path
