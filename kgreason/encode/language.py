"""A pretrained language model: frozen, tuned in its top layers, or tuned in full."""

import copy
import hashlib
import json
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from kgreason.encode.cache import StateCache
from kgreason.errors import ConfigError
from kgreason.places import cache_folder
from kgreason.pretrained import load_model
from kgreason.runtime import autocast_type
from kgreason.tensors import GraphBatch


@runtime_checkable
class Language(Protocol):
    """What `encode` asks of a language model: a vector of `width` numbers for every token."""

    width: int

    def __call__(self, batch: GraphBatch) -> Float[Tensor, "batch tokens width"]: ...


@final
class PretrainedLanguage(nn.Module):
    r"""The last layer of a transformers encoder, $H = \mathrm{LM}(\text{row})$, one sequence per row.

    All texts of a row stand in one sequence, so they attend to each other (a cross-encoder). Only what is tuned is part
    of the module's state: a checkpoint of a frozen model holds none of its weights. The states that the frozen part
    ends in are kept on disk as float16, by a hash of its weights and of the row's tokens; from the second epoch on it
    is not run any more.

    Args:
        model: `minilm`, a folder, or a Hub name.
        tune: `frozen` trains nothing, `top` the last `layers` layers, `full` all.
        layers: How many layers `top` tunes.
        precision: In which numbers matrices are multiplied: `auto` is bfloat16 where the hardware has it, else
            float32. Weights, and the steps of an optimiser on them, are float32 in any case.
        cache_gb: How much disk the states may take, in 10⁹ bytes, per model; 0 keeps none.
        weights: `pretrained`, or `random`: the same model with weights drawn anew, always the same ones. What a run
            reaches with these owes nothing to pretraining.

    Shapes:
        (batch, tokens) token ids → (batch, tokens, width) float32; 0 where there is padding.

    Raises:
        ConfigError: If the model cannot be loaded, an argument is not one of the above, the model has no stack of
            layers to split (`top`), or a row is longer than the model can read.
        StoreError: If states cannot be written.
    """

    def __init__(
        self,
        model: str = "minilm",
        tune: str = "frozen",
        layers: int = 2,
        precision: str = "auto",
        cache_gb: float | int = 8.0,
        weights: str = "pretrained",
    ) -> None:
        super().__init__()
        autocast_type(precision)  # a wrong name should fail here, not in the first batch
        whole = _loaded(model, weights)
        self.model, self.width = model, int(whole.config.hidden_size)
        self.precision = precision
        self.num_types = int(getattr(whole.config, "type_vocab_size", 0) or 0)
        self.pad = int(getattr(whole.config, "pad_token_id", 0) or 0)
        self.max_tokens = _max_tokens(whole.config)
        # the frozen part is not a submodule: it belongs to no checkpoint and never enters training mode
        self._frozen, self.tuned = _split(whole, tune, layers)
        self._device, self._identity = torch.device("cpu"), ""
        self._cache: StateCache | None = None
        if self._frozen and cache_gb > 0:
            folder = cache_folder() / "states" / f"{_fingerprint(self._frozen[0], precision)}"
            self._cache = StateCache(folder, self.width, int(cache_gb * 1e9))

    def forward(self, batch: GraphBatch) -> Float[Tensor, "batch tokens width"]:
        if batch.input_ids.shape[1] > self.max_tokens:
            raise ConfigError(
                f"A row has {batch.input_ids.shape[1]} tokens; the language model reads {self.max_tokens}. "
                f"Set [collate] max_tokens = {self.max_tokens} or less."
            )
        types = batch.token_text.cummax(dim=1).values.clamp(0, max(self.num_types - 1, 0))
        ids = batch.input_ids.masked_fill(~batch.token_mask, self.pad)
        if not self._frozen:
            h = self._run(self.tuned, batch.token_mask, input_ids=ids, token_type_ids=types)
        else:
            h = self._frozen_states(ids, types, batch.token_mask)
            if self.tuned is not None:
                h = self._run(self.tuned, batch.token_mask, inputs_embeds=h)
        return h.masked_fill(~batch.token_mask[..., None], 0.0)

    def frozen_identity(self) -> str:
        """Return the name of the model and a hash of its frozen weights; empty if none are frozen."""
        if self._frozen and not self._identity:
            digest = hashlib.sha256()
            for name, weight in self._frozen[0].state_dict().items():
                digest.update(name.encode())
                digest.update(weight.cpu().contiguous().numpy().data)
            self._identity = f"{self.model} (frozen part, sha256 {digest.hexdigest()[:24]})"
        return self._identity

    def _run(self, model: Any, mask: Tensor, **inputs: Tensor) -> Float[Tensor, "batch tokens width"]:
        kind = autocast_type(self.precision, mask.device.type)
        if "token_type_ids" in inputs and not self.num_types:
            del inputs["token_type_ids"]
        with torch.autocast(mask.device.type, dtype=kind or torch.bfloat16, enabled=kind is not None):
            out: Tensor = model(attention_mask=mask.long(), **inputs).last_hidden_state
        return out.float()

    def _frozen_states(
        self, ids: Int[Tensor, "batch tokens"], types: Int[Tensor, "batch tokens"], mask: Tensor
    ) -> Float[Tensor, "batch tokens width"]:
        lengths = mask.sum(1).tolist()
        if self._cache is None:
            return self._compute(ids, types, mask).float()
        columns = torch.stack([ids, types], 2).to(torch.int32).cpu().numpy()
        keys = [
            hashlib.blake2b(row[:n].tobytes(), digest_size=16).digest() for row, n in zip(columns, lengths, strict=True)
        ]
        out = np.zeros((*ids.shape, self.width), np.float16)
        lost = self._cache.missing(keys)
        if lost:
            longest = max(lengths[i] for i in lost)
            found = self._compute(ids[lost, :longest], types[lost, :longest], mask[lost, :longest]).cpu().numpy()
            states = [found[k, : lengths[i]] for k, i in enumerate(lost)]
            self._cache.add([keys[i] for i in lost], states)
            for i, state in zip(lost, states, strict=True):
                out[i, : len(state)] = state
        gone = set(lost)
        for i, key in enumerate(keys):
            if i not in gone:
                self._cache.read(key, out[i])
        return torch.from_numpy(out).to(ids.device).float()

    def _compute(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        if self._device != ids.device:
            self._frozen[0].to(ids.device)
            self._device = ids.device
        with torch.no_grad():  # float16 here too, so that a state is the same whether or not it came from disk
            return self._run(self._frozen[0], mask, input_ids=ids, token_type_ids=types).half()


def _loaded(model: str, weights: str) -> Any:
    """Load a model, or draw one like it; what else the run draws does not change by it."""
    if weights not in ("pretrained", "random"):
        raise ConfigError(f"[encode.language] weights = '{weights}' is not known. Known: pretrained, random.")
    whole = load_model(model)
    if weights == "random":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            whole = type(whole)(whole.config).eval()
    return whole


class _Given(nn.Module):
    """Stands in for the embeddings of a model whose lower layers have been run already."""

    def forward(self, inputs_embeds: Tensor, **_: object) -> Tensor:
        return inputs_embeds


def _split(whole: Any, tune: str, layers: int) -> tuple[tuple[Any, ...], nn.Module | None]:
    """Return the part that stays frozen (none or one model) and the part that is tuned."""
    if getattr(whole, "pooler", None) is not None:
        whole.pooler = None  # reads the first token only; not used here
    if tune == "full":
        return (), whole
    if tune not in ("frozen", "top"):
        raise ConfigError(f"[encode.language] tune = '{tune}' is not known. Known: frozen, top, full.")
    if tune == "frozen":
        return (whole.requires_grad_(False).eval(),), None
    stack = getattr(getattr(whole, "encoder", None), "layer", None)
    if not isinstance(stack, nn.ModuleList):
        raise ConfigError(
            "[encode.language] tune = 'top' needs a model with encoder.layer (BERT, RoBERTa, …); take full."
        )
    if not 1 <= layers <= len(stack):
        raise ConfigError(f"[encode.language] layers = {layers}, but the model has 1 to {len(stack)}.")
    lower, upper, cut = whole, copy.copy(whole), len(stack) - layers
    upper._modules = dict(whole._modules)
    upper.encoder = copy.copy(whole.encoder)
    upper.encoder._modules = {**whole.encoder._modules, "layer": stack[cut:]}
    upper.embeddings = _Given()
    lower.encoder.layer = stack[:cut]
    return (lower.requires_grad_(False).eval(),), upper


def _max_tokens(config: Any) -> int:
    longest = int(getattr(config, "max_position_embeddings", 0) or 1 << 30)
    # RoBERTa and its kin count positions from the padding id on
    kin = ("roberta", "camembert", "xlm-roberta", "mpnet", "longformer")
    return longest - int(config.pad_token_id) - 1 if config.model_type in kin else longest


def _fingerprint(model: Any, precision: str) -> str:
    """Hash all that the states depend on besides the tokens."""
    skip = ("_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype")
    config = {k: v for k, v in model.config.to_dict().items() if k not in skip}
    kind = autocast_type(precision)
    digest = hashlib.sha256(json.dumps([config, str(kind)], sort_keys=True, default=str).encode())
    for name, weight in model.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.contiguous().numpy().tobytes())
    return digest.hexdigest()[:24]
