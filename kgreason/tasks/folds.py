"""Cuts a small data set into folds, each of which is the test once; nothing that belongs together is in two of them."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from kgreason.data import Example
from kgreason.errors import ConfigError, DataError
from kgreason.tasks.groups import groups_of
from kgreason.tasks.keys import check_keys
from kgreason.tasks.split import KINDS, Split, hold_out, join, row_fields, without_copies
from kgreason.tasks.task import Splits

#: What the test of a fold is called.
FOLD = "fold"


@final
@dataclass(frozen=True, slots=True)
class Folds:
    """Which fold is the test: the key `folds` of the section `[task]`, whatever the task.

    The examples of `[task] train` are cut into `count` parts. Part `fold` is the test, called `fold`; the others are
    trained on, less the share `dev`.

    Args:
        count: How many parts.
        fold: Which is the test, counted from 0.
        by: What stays together. `text`: examples with the same first text (premise, question, story), so that no
            premise is in train and test; `none`: nothing, but for copies; any other word is a field of the data's rows,
            such as `author`. Several, joined by `+`: what shares any of them.
        stratify: Whether each part is to have the same share of each label (or number of hops, type, category), as far
            as the groups allow.
        seed: Another seed, other folds.
        tested: Whether to keep the test; if not, its examples are left out all the same.

    Raises:
        ConfigError: If a value makes no sense.
    """

    count: int = 5
    fold: int = 0
    by: str = "text"
    stratify: bool = True
    seed: int = 0
    tested: bool = True

    def __post_init__(self) -> None:
        if type(self.count) is not int or self.count < 2:
            raise ConfigError(f"[task] folds.count = {self.count!r}, expected a whole number, at least 2.")
        if type(self.fold) is not int or not 0 <= self.fold < self.count:
            raise ConfigError(f"[task] folds.fold = {self.fold!r}, expected a number from 0 to {self.count - 1}.")
        if not self.by or not all(self.by.split("+")):
            raise ConfigError(
                f"[task] folds.by = {self.by!r}, expected 'text', 'none', or names of fields joined by '+'."
            )
        if [type(value) for value in (self.seed, self.stratify, self.tested)] != [int, bool, bool]:
            raise ConfigError("[task] folds: seed is a whole number, stratify and tested are true or false.")

    @classmethod
    def of(cls, given: Mapping[str, Any], task: Mapping[str, Any]) -> "Folds":
        """Read what a file says.

        Args:
            given: The table `folds`.
            task: The section `[task]`, without it.

        Raises:
            ConfigError: If a key does not exist, or the section cuts or makes its data in another way.
        """
        if not isinstance(given, Mapping):
            raise ConfigError(f"[task] folds = {given!r}, expected a table such as {{ count = 5, fold = 0 }}.")
        check_keys("[task] folds", given, cls.__dataclass_fields__)
        if task.get("split"):
            raise ConfigError("[task] split cuts the data, and folds would, too; leave one of them out.")
        if isinstance(task.get("train"), Mapping) or not task.get("train"):
            raise ConfigError("[task] folds are cut out of train; give it as a list of splits.")
        return cls(**given)

    def __call__(self, splits: Splits, task: Mapping[str, Any]) -> Splits:
        """Cut what was drawn.

        Args:
            splits: As the task draws them.
            task: The section `[task]`.

        Raises:
            ConfigError: If there are fewer groups than folds, or nothing is left to train on.
            DataError: If a row lacks the field that rows are grouped by.
        """
        share = task.get("dev", 0.1)
        own = isinstance(share, list | tuple)  # dev has splits of its own, which are not cut
        pool = splits.train if own else join([splits.train, splits.dev])
        pool = replace(pool, examples=tuple(sorted(pool.examples, key=lambda e: e.uid)))
        part = self.parts(pool, [spec for spec in task["train"] if isinstance(spec, str)])
        number = dict(zip((e.uid for e in pool.examples), part.tolist(), strict=True))
        test = pool.keep(lambda e: number[e.uid] == self.fold)
        rest = without_copies(pool.keep(lambda e: number[e.uid] != self.fold), test.examples)
        train, dev = (rest, without_copies(splits.dev, test.examples)) if own else hold_out(rest, float(share))
        for name, of in (("train", train), ("dev", dev)):
            if not of.examples:
                raise ConfigError(
                    f"[task] folds: {name} got no example in fold {self.fold} of {self.count}; there are "
                    f"{len(pool)} examples. Give more of them, or another dev."
                )
        return Splits(train, dev, {**splits.test, FOLD: test} if self.tested else splits.test)

    def parts(self, pool: Split, specs: Sequence[str]) -> Int[ndarray, " examples"]:
        """Return the fold of each example.

        With groups by scikit-learn's StratifiedGroupKFold, without any by StratifiedKFold.

        Args:
            pool: All examples.
            specs: The splits they come from, to look up fields.

        Raises:
            ConfigError: If there are fewer groups than folds.
            DataError: If a row lacks a field.
        """
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

        group = self.groups(pool, specs)
        many = len(np.unique(group))
        if many < self.count:
            raise ConfigError(
                f"[task] folds.count = {self.count}, but by '{self.by}' there are only {many} groups ({len(pool)} "
                "examples). Give fewer folds, or group by something finer."
            )
        label = self._strata(pool)
        if max(Counter(label).values()) < self.count:  # nothing to spread
            label = [""] * len(pool)
        kind = StratifiedKFold if many == len(group) else StratifiedGroupKFold
        cut = kind(self.count, shuffle=True, random_state=self.seed)
        part = np.zeros(len(pool), np.int64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of labels rarer than folds: they go as far as they go
            for i, (_, test) in enumerate(cut.split(np.zeros(len(pool)), label, group)):
                part[test] = i
        return part

    def groups(self, pool: Split, specs: Sequence[str]) -> Int[ndarray, " examples"]:
        """Return the group of each example: what shares one of the keys of `by`, or shares one with what does."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        size = len(pool)
        columns = [np.arange(size)]
        columns += [_numbers(self._keys(pool, specs, by)) for by in self.by.split("+") if by != "none"]
        ends = [size + sum(int(c.max()) + 1 for c in columns[:i]) + c for i, c in enumerate(columns)]
        rows, targets = np.tile(np.arange(size), len(ends)), np.concatenate(ends)
        whole = int(targets.max()) + 1
        graph = coo_array((np.ones(len(rows)), (rows, targets)), shape=(whole, whole))
        found: ndarray = connected_components(graph, directed=False)[1][:size].astype(np.int64)
        return found

    def _keys(self, pool: Split, specs: Sequence[str], by: str) -> list[str]:
        if by == "text":
            return groups_of(pool.examples)
        fields: dict[str, Any] = {}
        for spec in specs:
            fields |= row_fields(spec, by)
        for example in pool.examples:
            if fields.get(example.uid) is None:
                raise DataError(f"Example '{example.uid}' has no '{by}', by which [task] folds groups the rows.")
        return [str(fields[example.uid]) for example in pool.examples]

    def _strata(self, pool: Split) -> list[str]:
        """Return what is to be spread evenly: the label, else the first kind that all examples have."""
        if not self.stratify:
            return [""] * len(pool)
        if all(isinstance(e.target, str) for e in pool.examples):
            return [str(e.target) for e in pool.examples]
        kind = next((k for k in KINDS if all(k in pool.category.get(e.uid, {}) for e in pool.examples)), None)
        return ["" if kind is None else _kind(pool, e, kind) for e in pool.examples]


def _kind(pool: Split, example: Example, kind: str) -> str:
    return pool.category[example.uid][kind]


def _numbers(keys: Sequence[str]) -> Int[ndarray, " examples"]:
    found: ndarray = np.unique(np.array(keys), return_inverse=True)[1].reshape(-1).astype(np.int64)
    return found
