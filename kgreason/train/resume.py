"""The checkpoint of a run that is not over: weights, optimiser, generators and where it stands, in one file."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kgreason.errors import ConfigError
from kgreason.train import seed as seeds
from kgreason.train.checkpoint import check_frozen, frozen_identity, put_weights, read, weights_of, write
from kgreason.train.optimise import trainable
from kgreason.train.settings import TrainSettings

#: One file, so that one rename makes a new checkpoint out of the old: its parts always belong together.
LAST = "last.safetensors"
#: What may differ when a run goes on, since it changes no number.
_FREE = ("save_every", "tensorboard", "batch_size")


def setup_of(module: nn.Module, settings: TrainSettings, seed: int, steps: int, world: int) -> dict[str, Any]:
    """Return what two runs must have in common for one to go on where the other stopped."""
    shapes = [f"{name} {tuple(tensor.shape)} {tensor.dtype}" for name, tensor in weights_of(module).items()]
    told = {name: value for name, value in asdict(settings).items() if name not in _FREE}
    told |= {"lr": dict(settings.lr), "class_weights": settings.class_weights}
    if not isinstance(settings.class_weights, str):
        told["class_weights"] = [float(weight) for weight in settings.class_weights]
    digest = hashlib.sha256("\n".join(shapes).encode()).hexdigest()[:16]
    return told | {"seed": seed, "steps_per_epoch": steps, "processes": world, "parameters": digest}


def save(
    folder: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    setup: Mapping[str, Any],
    generators: Sequence[Mapping[str, Tensor]],
    state: Mapping[str, Any],
) -> None:
    """Write the checkpoint. Of a run that is over only the state: its weights have a file of their own.

    Raises:
        StoreError: If it cannot be written; the one before is still there.
    """
    tensors: dict[str, Tensor] = {}
    if not state["stopped"]:
        tensors |= {f"model/{name}": tensor for name, tensor in weights_of(module).items()}
        for name, parameter in trainable(module).items():
            tensors |= {f"optimiser/{name}/{key}": value for key, value in optimiser.state[parameter].items()}
        for rank, states in enumerate(generators):
            tensors |= {f"generators/{rank}/{name}": value for name, value in states.items()}
    frozen = frozen_identity(module)
    write(folder / LAST, tensors, {"setup": dict(setup), "frozen": frozen, "run": dict(state)})


def load(
    folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, setup: Mapping[str, Any], rank: int
) -> dict[str, Any] | None:
    """Put everything back as `save` found it and return the state; None if there is no checkpoint.

    Raises:
        ConfigError: If the checkpoint is of a run with another setup.
        StoreError: If it is damaged, or was written over another language model.
    """
    path = folder / LAST
    if not path.exists():
        return None
    tensors, kept = read(path)
    if kept["setup"] != dict(setup):
        raise ConfigError(f"{folder} holds a run with other settings: {_difference(kept['setup'], setup)}. {_ADVICE}")
    check_frozen(module, kept["frozen"], path)
    state: dict[str, Any] = kept["run"]
    if not state["stopped"]:
        put_weights(module, _under("model", tensors), path)
        for name, parameter in trainable(module).items():
            if moments := _under(f"optimiser/{name}", tensors):
                optimiser.state[parameter] = {key: value.to(parameter.device) for key, value in moments.items()}
        seeds.restore(_under(f"generators/{rank}", tensors))
    return state


def forget(folder: Path) -> None:
    """Delete the checkpoint of a folder, so that `fit` starts anew."""
    (folder / LAST).unlink(missing_ok=True)


_ADVICE = "Use another folder, go back to those settings, or start anew with kgreason.train.forget(folder)."


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key[len(prefix) + 1 :]: value for key, value in tensors.items() if key.startswith(f"{prefix}/")}


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return ", ".join(f"{name} was {old.get(name)!r}, is {new.get(name)!r}" for name in names)
