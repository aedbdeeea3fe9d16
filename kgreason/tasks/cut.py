"""Cuts one data set into train, dev and test so that no two of them share a group of rows."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final, get_args

from kgreason.data import Example
from kgreason.errors import ConfigError, DataError, near
from kgreason.tasks.keys import check_keys
from kgreason.tasks.split import Split, ToExample, join, read_split, without_copies
from kgreason.tasks.task import Splits

By: TypeAlias = Literal["random", "path", "subject_path", "type", "hops", "category"]


@final
@dataclass(frozen=True, slots=True)
class Cut:
    """How to cut.

    Args:
        by: What stays together. `random`: nothing, each row is on its own; `path`: questions with the same relation
            path, so that those of the test were never seen; `subject_path`: with the same seeds and path, so that no
            question of the test is one of train in other words; `type`, `hops`, `category`: with the same of these.
        seed: Another seed, another cut.
        shares: Of train, dev and test; they sum to 1.
        tested: Whether to keep the test; if not, its rows are left out all the same.

    Raises:
        ConfigError: If one of them makes no sense.
    """

    by: By = "random"
    seed: int = 0
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    tested: bool = True

    def __post_init__(self) -> None:
        if min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise ConfigError(
                f"[task] split.shares = {list(self.shares)}: give three numbers above 0, for train, dev and test, that "
                "sum to 1."
            )

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Cut":
        """Read the table `split` of an experiment file.

        Raises:
            ConfigError: If a key does not exist, or a value is not what it should be.
        """
        check_keys("[task] split", table, cls.__dataclass_fields__)
        by, seed, shares = (table.get(key, getattr(_DEFAULT, key)) for key in ("by", "seed", "shares"))
        if by not in get_args(By):
            raise ConfigError(f"[task] split.by = {by!r} is not known.{near(by, get_args(By))} {_KNOWN}")
        if type(seed) is not int:
            raise ConfigError(f"[task] split.seed = {seed!r} is not a whole number.")
        try:
            train, dev, test = map(float, shares)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"[task] split.shares = {shares!r}: give three numbers.") from error
        if not isinstance(table.get("tested", True), bool):
            raise ConfigError(f"[task] split.tested = {table['tested']!r} is neither true nor false.")
        return cls(by, seed, (train, dev, test), table.get("tested", True))


_DEFAULT = Cut()
_KNOWN = f"Known: {', '.join(get_args(By))}."


def draw_cut(to_example: ToExample, specs: Sequence[str], cut: Cut, limit: int = 0) -> Splits:
    """Read splits, and cut what they hold together; the test is called `test`.

    A question of train or dev that stands word for word in the test (two rows, another answer) is left out, as `draw`
    does.

    Raises:
        ConfigError: If there is nothing to cut, or a part is left with nothing.
        DataError: If a data set cannot be read, or a row lacks what rows are to be grouped by.
    """
    if not specs:
        raise ConfigError("[task] train is empty; name the splits that are to be cut, such as ['pathquestion:2-hop'].")
    train, dev, test = grouped(join([read_split(spec, to_example) for spec in specs]), cut)
    dev = without_copies(dev, test.examples)
    train = without_copies(without_copies(train, test.examples), dev.examples)
    for part, split in (("train", train), ("dev", dev), ("test", test)):
        if not split.examples:
            raise ConfigError(
                f"[task] split: {part} got no example; there are too few groups by '{cut.by}' for shares {cut.shares}."
            )
    return Splits(train.sample(limit), dev.sample(limit), {"test": test.sample(limit)} if cut.tested else {})


def grouped(split: Split, cut: Cut) -> tuple[Split, Split, Split]:
    """Return train, dev and test.

    Groups come in the order of the hash of their key and the seed, and fill train, then dev, then test: a group goes
    where its middle row falls. So the parts have their shares but for half a group, and the order of the file does not
    matter.
    """
    key_of = _keys(split, cut)
    members: dict[str, list[str]] = {}
    for example in split.examples:
        members.setdefault(key_of(example), []).append(example.uid)
    part_of: dict[str, int] = {}
    bounds, before, whole = (cut.shares[0], cut.shares[0] + cut.shares[1]), 0, len(split)
    for key in sorted(members, key=lambda key: hashlib.sha256(f"{cut.seed}\0{key}".encode()).digest()):
        middle = (before + len(members[key]) / 2) / whole
        before += len(members[key])
        part_of |= dict.fromkeys(members[key], sum(middle > bound for bound in bounds))
    train, dev, test = (split.keep(lambda e, part=part: part_of[e.uid] == part) for part in range(3))  # type: ignore[misc]
    return train, dev, test


def _keys(split: Split, cut: Cut) -> Callable[[Example], str]:
    def key(example: Example) -> str:
        if cut.by == "random":
            return example.uid
        if cut.by in ("path", "subject_path"):
            path = split.path.get(example.uid)
            if path is None:
                raise DataError(
                    f"Example '{example.uid}' has no 'path', by which the rows are to be cut. Give each row the "
                    "list of its relations, or cut by 'random'."
                )
            return "\t".join(path if cut.by == "path" else (*example.seeds, "", *path))
        kind = split.category.get(example.uid, {}).get(cut.by)
        if kind is None:
            raise DataError(f"Example '{example.uid}' has no '{cut.by}', by which the rows are to be cut.")
        return kind

    return key
