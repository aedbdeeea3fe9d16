"""The only place where randomness begins: seeds, and the states of the generators between two runs."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor


def seed_everything(seed: int) -> None:
    """Seed Python, numpy (its global generator) and torch on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries draw from the global one
    torch.manual_seed(seed)


def capture() -> dict[str, Tensor]:
    """Return the states of all generators, as tensors that `restore` takes back."""
    version, numbers, gauss = random.getstate()
    numpy: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    states = {
        "torch": torch.get_rng_state(),
        "python": torch.tensor([version, *numbers], dtype=torch.int64),
        "python_gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy": torch.tensor([*numpy["state"]["key"].tolist(), numpy["state"]["pos"], numpy["has_gauss"]]),
        "numpy_gauss": torch.tensor([numpy["gauss"]], dtype=torch.float64),
    }
    if torch.cuda.is_available():
        states |= {f"cuda{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def restore(states: dict[str, Tensor]) -> None:
    """Put the generators back to what `capture` found; devices that are no longer there are left out."""
    torch.set_rng_state(states["torch"])
    version, *numbers = states["python"].tolist()
    gauss = states["python_gauss"].tolist()
    random.setstate((version, tuple(numbers), gauss[0] if gauss else None))
    *keys, position, has_gauss = states["numpy"].tolist()
    cached = float(states["numpy_gauss"][0])
    np.random.set_state(("MT19937", np.array(keys, np.uint32), position, has_gauss, cached))  # noqa: NPY002
    for i in range(torch.cuda.device_count()):
        if f"cuda{i}" in states:
            torch.cuda.set_rng_state(states[f"cuda{i}"], i)


@contextmanager
def determinism(wanted: bool) -> Iterator[None]:
    """Allow only operations that give the same bits every time, and go back to what was allowed before.

    On a CPU all operations of this library do so anyway. On a GPU sums over edges and nodes do not, unless this is on;
    torch then raises a RuntimeError where it has no such operation, and for cuBLAS the environment variable
    `CUBLAS_WORKSPACE_CONFIG=:4096:8` must be set before Python starts. It costs some speed.
    """
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(wanted or before)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
