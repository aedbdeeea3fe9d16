"""The card of a run: everything a sceptical reader would ask about it, as plain numbers and words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, final, get_args, get_origin, get_type_hints

from kgreason.audit.parts import (
    Bias,
    Calibration,
    Contrast,
    Faith,
    Leak,
    Probe,
    Score,
    Shortcut,
    Skip,
    Slice,
)
from kgreason.errors import StoreError
from kgreason.experiment import record

#: The file in a run's folder, and what its first key says.
FILE, SCHEMA = "audit.json", "kgreason-audit-1"


@final
@dataclass(frozen=True, slots=True)
class Card:
    """All of it.

    Args:
        schema: `kgreason-audit-1`.
        run: The name of the run's folder.
        title: Of the experiment.
        task: `nli`, `choice`, `kgqa`, `relation`.
        trained: Whether anything was trained.
        seed: Of the probes.
        limit: At most so many examples of each test were used for what had to be computed anew; 0 for all.
        verdict: Sentences.
        scores, controls, leaks, biases, shortcuts, probes, faith, calibration, slices: The parts.
        cost: `seconds`, `cpu_seconds`, `peak_memory_mb` of the run, `trainable` (numbers), `audit_seconds`.
        skipped: What does not apply or was not done.
    """

    schema: str
    run: str
    title: str
    task: str
    trained: bool
    seed: int
    limit: int
    verdict: tuple[str, ...]
    scores: tuple[Score, ...]
    controls: tuple[Contrast, ...]
    leaks: tuple[Leak, ...]
    biases: tuple[Bias, ...]
    shortcuts: tuple[Shortcut, ...]
    probes: tuple[Probe, ...]
    faith: tuple[Faith, ...]
    calibration: tuple[Calibration, ...]
    slices: tuple[Slice, ...]
    cost: Mapping[str, float]
    skipped: tuple[Skip, ...]


def as_json(card: Card) -> dict[str, Any]:
    """Return a card as what JSON can hold."""
    return asdict(card) | {"cost": dict(card.cost)}


def read_card(run: str | Path) -> Card | None:
    """Return the card that stands in a run's folder, or None if it was not audited.

    Raises:
        StoreError: If the file is damaged or of another version.
    """
    path = Path(run) / FILE
    if not path.is_file():
        return None
    found = record.read_json(path)
    if found.get("schema") != SCHEMA:
        raise StoreError(f"{path} says schema = {found.get('schema')!r}, expected '{SCHEMA}'. Audit the run again.")
    try:
        card: Card = _made(Card, found)
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is damaged: {error!r}. Audit the run again.") from error
    return card


def _made(kind: Any, value: Any) -> Any:
    """Make a value of a type out of what JSON holds of it."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{field.name: _made(hints[field.name], value[field.name]) for field in fields(kind)})  # type: ignore[operator]
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        kinds = [inner[0]] * len(value) if len(inner) == 2 and inner[1] is ... else inner
        return tuple(_made(k, v) for k, v in zip(kinds, value, strict=True))
    if get_origin(kind) is UnionType and value is None:
        return None
    return value
