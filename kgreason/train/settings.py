"""What the section [train] of an experiment file says."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, final

from kgreason.errors import ConfigError

Precision = Literal["auto", "fp32", "bf16"]


#: TOML writes 1 for 1.0.
Number = float | int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How to train: AdamW with warm-up, clipping and early stopping.

    Args:
        epochs: How often to go through the training data, at most; 0: nothing is trained, and the reasoner is tested as
            it was built.
        batch_size: Examples per batch and process.
        accumulate: Batches per step of the optimiser; their gradients are summed as if they were one batch.
        lr: The highest learning rate of the `language` model and of all `other` parameters.
        weight_decay: Of matrices; vectors and scalars (biases, norms, gates) have none.
        warmup: Share of the steps in which the rates rise from 0, linearly.
        schedule: How the rates fall after that: `cosine` or `linear` to 0, or `constant`.
        clip: Highest norm of the gradient; 0 for no limit.
        patience: Stop after this many epochs without a better `select` on the dev set; 0 for never.
        select: The metric that picks the epoch whose weights are kept. Of `loss`, less is better; else more.
        class_weights: `none`, `balanced` (one over the share of each candidate among the training targets), or one
            number per candidate.
        label_smoothing: Share of the target that is spread over all candidates of a group.
        consistency: R-Drop: how much two passes over a batch, between which dropout differs, must agree; 0: one pass.
            See `kgreason.train.consistency`.
        precision: Of the encoder's matrix products: `fp32`, `bf16`, or `auto`: bf16 where the processor has it. The
            language model has a precision of its own, in `[encode.language]`.
        save_every: Seconds between two checkpoints within an epoch. There is always one after each epoch.
        deterministic: Only operations that give the same bits every time; see `kgreason.train.seed.determinism`.
        tensorboard: Also write logs for TensorBoard, if it is installed.
        paths: How much a walk is taught the path of an example, where the data say it; 0: answers alone. See
            `kgreason.train.teach`.
        calibrate: Set the head's temperature on the dev set after training; see `kgreason.train.calibrate`.

    Raises:
        ConfigError: If a value is not of the kind said above.
    """

    epochs: int = 10
    batch_size: int = 32
    accumulate: int = 1
    lr: Mapping[str, Number] = field(default_factory=lambda: {"language": 2e-5, "other": 1e-3})
    weight_decay: Number = 0.01
    warmup: Number = 0.06
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    clip: Number = 1.0
    patience: int = 3
    select: str = "accuracy"
    class_weights: Literal["none", "balanced"] | Sequence[Number] = "none"
    label_smoothing: Number = 0.0
    consistency: Number = 0.0
    precision: Precision = "auto"
    save_every: Number = 120.0
    deterministic: bool = False
    tensorboard: bool = True
    paths: Number = 0.0
    calibrate: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "accumulate"):
            self._expect(name, "a whole number, at least 1", _whole(getattr(self, name), 1))
        for name in ("epochs", "patience"):
            self._expect(name, "a whole number, at least 0", _whole(getattr(self, name), 0))
        for name in ("weight_decay", "clip", "save_every", "paths", "consistency"):
            self._expect(name, "a number, at least 0", _number(getattr(self, name)))
        self._expect("warmup", "a share of the steps, in [0, 1]", _number(self.warmup) and self.warmup <= 1)
        smoothing = self.label_smoothing
        self._expect("label_smoothing", "a share, in [0, 1)", _number(smoothing) and smoothing < 1)
        self._expect("schedule", "cosine, linear or constant", self.schedule in ("cosine", "linear", "constant"))
        self._expect("precision", "auto, fp32 or bf16", self.precision in ("auto", "fp32", "bf16"))
        self._expect("select", "the name of a metric", _is(self.select, str) and bool(self.select))
        for name in ("deterministic", "tensorboard", "calibrate"):
            self._expect(name, "true or false", isinstance(getattr(self, name), bool))
        self._check_rates()
        self._check_class_weights()

    def _check_rates(self) -> None:
        expected = "{ language = <rate>, other = <rate> }, numbers of at least 0"
        right = _is(self.lr, Mapping) and self.lr.keys() == {"language", "other"}
        self._expect("lr", expected, right and all(_number(rate) for rate in self.lr.values()))

    def _check_class_weights(self) -> None:
        given = self.class_weights
        numbers = _is(given, Sequence) and len(given) > 0 and all(_number(weight) for weight in given)
        self._expect("class_weights", "none, balanced or a list of numbers", given in ("none", "balanced") or numbers)

    def _expect(self, name: str, what: str, right: bool) -> None:
        if not right:
            raise ConfigError(f"[train] {name} = {getattr(self, name)!r}; expected {what}.")


def no_training(
    batch_size: int = 64, precision: Precision = "auto", select: str = "accuracy", calibrate: bool = False
) -> TrainSettings:
    """Train nothing: `[train] name = "none"`, for reasoners that need no training. `select` picks nothing.

    With `calibrate` the labels of the dev split set one number, the temperature of the head.
    """
    return TrainSettings(
        epochs=0, batch_size=batch_size, precision=precision, select=select, tensorboard=False, calibrate=calibrate
    )


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind)  # asked of what a file says, whatever the annotation promises


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
