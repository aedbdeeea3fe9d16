"""Weights and training states on disk: safetensors and JSON, no pickle, never half written.

Parameters that training does not change are not stored but named, by a hash of their values: a checkpoint over a frozen
language model holds the reasoning part alone, and refuses to be loaded over another language model.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from kgreason.errors import StoreError
from kgreason.train.optimise import trainable

FORMAT = "kgreason-checkpoint-1"


def save_weights(reasoner: nn.Module, path: Path, info: Mapping[str, Any]) -> None:
    """Write the weights that training changes, and persistent buffers, to a safetensors file.

    Args:
        reasoner: Where the weights are.
        path: The file; it appears whole or not at all.
        info: Anything JSON can hold, such as the epoch and its metrics; `load_weights` returns it.

    Raises:
        StoreError: If the file cannot be written.
    """
    write(path, weights_of(reasoner), {"frozen": frozen_identity(reasoner), "info": dict(info)})


def load_weights(reasoner: nn.Module, path: Path) -> dict[str, Any]:
    """Read weights into a reasoner that was built in the same way, and return their `info`.

    Raises:
        StoreError: If the file is missing or damaged, or belongs to another reasoner or another language model.
    """
    tensors, state = read(path)
    check_frozen(reasoner, state["frozen"], path)
    put_weights(reasoner, tensors, path)
    info: dict[str, Any] = state["info"]
    return info


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """Return the trainable parameters and the persistent buffers of a module, by name; shared ones once."""
    kept = module.state_dict().keys()
    buffers = {name: buffer for name, buffer in module.named_buffers() if name in kept}
    return {name: tensor.detach() for name, tensor in (trainable(module) | buffers).items()}


@torch.no_grad()
def put_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Copy weights into a module; names and shapes must be the same on both sides."""
    own = weights_of(module)
    if strange := sorted(own.keys() ^ tensors.keys()):
        side = "the file lacks" if strange[0] in own else "the reasoner does not have"
        raise StoreError(
            f"{path} belongs to another reasoner: {side} '{strange[0]}' ({len(strange)} names differ). "
            "Build the reasoner from the config that lies beside the file."
        )
    for name, tensor in own.items():
        if tensor.shape != tensors[name].shape:
            raise StoreError(
                f"{path} belongs to another reasoner: '{name}' has the shape {tuple(tensors[name].shape)} in the file "
                f"and {tuple(tensor.shape)} here. Build the reasoner from the config that lies beside the file."
            )
        tensor.copy_(tensors[name])


@runtime_checkable
class Freezes(Protocol):
    """A module that computes with weights that are not among its parameters, such as a frozen language model."""

    def frozen_identity(self) -> str:
        """Return the name of these weights and a hash of them; empty if there are none."""
        ...


def frozen_identity(module: nn.Module) -> dict[str, Any]:
    """Name what is not stored: parameters that are frozen (number and hash), and what `Freezes` modules tell."""
    digest, count = hashlib.sha256(), 0
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            digest.update(f"{name} {tuple(parameter.shape)} {parameter.dtype}".encode())
            digest.update(parameter.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
            count += parameter.numel()
    models = sorted({told for m in module.modules() if isinstance(m, Freezes) and (told := m.frozen_identity())})
    return {"parameters": count, "sha256": digest.hexdigest() if count else "", "models": models}


def check_frozen(module: nn.Module, wanted: Mapping[str, Any], path: Path) -> None:
    """Refuse weights that were trained over other frozen ones.

    Raises:
        StoreError: If the frozen weights differ.
    """
    found, claimed = frozen_identity(module), wanted["models"] or wanted["parameters"]
    if claimed and found != dict(wanted):
        raise StoreError(
            f"{path} was trained over frozen weights: {_named(wanted)}; this reasoner has: {_named(found)}. "
            "Load the same language model with the same layers frozen."
        )


def _named(identity: Mapping[str, Any]) -> str:
    parameters = [f"{identity['parameters']:,} parameters (sha256 {identity['sha256'][:12]})"]
    return " and ".join([*identity["models"], *(parameters if identity["parameters"] else [])]) or "none"


def write(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write tensors and a JSON state to one file, at once: it is replaced whole, after it is safe on disk.

    Raises:
        StoreError: If the file cannot be written; what was there before is still there.
    """
    metadata = {"format": FORMAT, "state": json.dumps(state, allow_nan=False)}
    aside = path.with_name(f".{path.name}.partial")  # always the same, so that a killed run leaves at most one
    try:
        aside.mkdir(parents=True, exist_ok=True)
        partial = aside / path.name
        partial.touch()
        mode = partial.stat().st_mode  # safetensors would let nobody else read it
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, partial, metadata)
        partial.chmod(mode)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{path} could not be written: {error}. Free some space or name another folder.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write` wrote.

    Raises:
        StoreError: If the file is missing, damaged, or of another format.
    """
    if not path.is_file():
        raise StoreError(f"{path} does not exist. Train first, or name the folder of a finished run.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{path} is damaged: {error}. Delete it and train again.") from error
    if metadata.get("format") != FORMAT:
        raise StoreError(f"{path} has the format {metadata.get('format', 'unknown')!r}, expected {FORMAT!r}.")
    state: dict[str, Any] = json.loads(metadata["state"])
    return tensors, state
