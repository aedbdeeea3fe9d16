"""One control: an experiment with one thing taken away, and the question that this answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

from kgreason.errors import ConfigError
from kgreason.experiment.config import ExperimentConfig

#: Dotted keys to values, as `ExperimentConfig.with_overrides` takes them.
Overrides: TypeAlias = dict[str, Any]
#: What a control changes in an experiment, or one sentence that says why it does not apply to it.
Way: TypeAlias = Callable[[ExperimentConfig], Overrides | str]
#: When the control holds: trained and tested with it, or trained without it and tested with it.
When: TypeAlias = Literal["train", "test"]


@final
@dataclass(frozen=True, slots=True)
class Control:
    """One named choice: the same name in every task, and in each what it means there.

    Args:
        name: What its row is called, after `control:`.
        question: What it asks.
        why: What has been found with it, or what would stay hidden without it.
        source: The paper, or "own".
        train: What it changes when the experiment is trained and tested with it; None if that makes no sense.
        test: What it changes when a trained run is only tested with it; None if that makes no sense.
    """

    name: str
    question: str
    why: str
    source: str
    train: Way | None = None
    test: Way | None = None

    @property
    def when(self) -> tuple[When, ...]:
        """When it holds: in training and test, or at test time alone, or either."""
        ways: tuple[tuple[When, Way | None], ...] = (("train", self.train), ("test", self.test))
        return tuple(when for when, way in ways if way is not None)

    def fits(self, config: ExperimentConfig, when: When = "train") -> str:
        """Return why the control does not apply to an experiment, in one sentence; nothing if it does."""
        found = self._changed(config, when)
        return found if isinstance(found, str) else ""

    def overrides(self, config: ExperimentConfig, when: When = "train") -> Overrides:
        """Return what the control changes in an experiment.

        Raises:
            ConfigError: If it does not apply.
        """
        found = self._changed(config, when)
        if isinstance(found, str):
            raise ConfigError(f"control '{self.name}' does not apply to '{config.title}': {found}")
        return found

    def _changed(self, config: ExperimentConfig, when: When) -> Overrides | str:
        way = self.train if when == "train" else self.test
        if way is None:
            return "it needs training." if when == "test" else "it is for a trained run: kgreason test RUN --control."
        if when == "train" and config.train["name"] == "none":  # what is not trained has a test, and nothing else
            way = self.test or way
            if self.test is None:
                return "nothing is trained here."
        found = way(config)
        if not isinstance(found, str) and config.with_overrides(found) == config:
            return "the experiment is this already."
        return found
