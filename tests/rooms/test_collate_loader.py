import numpy as np
import pytest

from kgreason.collate import Loader, Prepared
from kgreason.errors import ConfigError

EMPTY = {
    "int32": np.zeros(0, np.int32),
    "int8": np.zeros(0, np.int8),
    "float32": np.zeros(0, np.float32),
    "pairs": np.zeros((2, 0), np.int32),
}


def prepared(lengths: list[int]) -> list[Prepared]:
    """Examples of one row and no graph."""
    return [
        Prepared(
            uid=str(i),
            row_tokens=np.array([n], np.int32),
            row_nodes=np.zeros(1, np.int32),
            input_ids=np.full(n, i, np.int32),
            token_text=np.zeros(n, np.int8),
            node_type=EMPTY["int8"],
            node_text=EMPTY["int8"],
            node_pos=EMPTY["int8"],
            node_entity=EMPTY["int32"],
            node_score=EMPTY["float32"],
            edge_index=EMPTY["pairs"],
            edge_kind=EMPTY["int8"],
            edge_type=EMPTY["int32"],
            edge_relation=EMPTY["int32"],
            edge_score=EMPTY["float32"],
            link_index=EMPTY["pairs"],
            pair_index=EMPTY["pairs"],
            pair_type=EMPTY["int8"],
            target=np.array([i % 3], np.int32),
            row_edits=np.zeros(1, np.int32),
            edit_kind=EMPTY["int8"],
            edit_nodes=EMPTY["pairs"],
            edit_relation=np.zeros((7, 0), np.float32),
            edit_polarity=np.zeros((2, 0), np.int8),
        )
        for i, n in enumerate(lengths)
    ]


LENGTHS = np.random.default_rng(0).integers(1, 60, 101).tolist()
DATA = prepared(LENGTHS)


def order(loader: Loader) -> list[list[int]]:
    return [batch.example.tolist() for batch in loader]


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_example_comes_once_per_epoch(shuffle: bool) -> None:
    loader = Loader(DATA, 8, shuffle)
    found = order(loader)
    assert sorted(i for batch in found for i in batch) == list(range(101))
    assert len(found) == len(loader) == 13


def test_a_batch_holds_the_examples_it_names() -> None:
    for batch in Loader(DATA, 8, shuffle=True, seed=3):
        assert batch.input_ids[:, 0].tolist() == batch.example.tolist()
        assert batch.target is not None
        assert batch.target[1].tolist() == [i % 3 for i in batch.example.tolist()]


def test_the_seed_and_the_epoch_fix_the_order() -> None:
    one, other, third = Loader(DATA, 8, True, seed=1), Loader(DATA, 8, True, seed=1), Loader(DATA, 8, True, seed=2)
    assert order(one) == order(other)
    assert order(one) != order(third)
    one.set_epoch(1)
    assert order(one) != order(other)
    other.set_epoch(1)
    assert order(one) == order(other)


def test_batches_do_not_keep_their_company() -> None:
    loader = Loader(DATA, 8, True)
    first = {frozenset(batch) for batch in order(loader)}
    loader.set_epoch(1)
    assert len(first & {frozenset(batch) for batch in order(loader)}) < 4


def test_an_epoch_goes_on_where_it_was_interrupted() -> None:
    loader = Loader(DATA, 8, True, seed=5)
    loader.set_epoch(2)
    whole = order(loader)
    loader.set_epoch(2, start=4)
    assert order(loader) == whole[4:]
    assert len(loader) == 13
    loader.set_epoch(3)
    assert len(order(loader)) == 13


@pytest.mark.parametrize("shuffle", [False, True])
def test_little_of_a_batch_is_padding(shuffle: bool) -> None:
    batches = list(Loader(prepared(LENGTHS * 5), 16, shuffle))
    tokens, room = (
        sum(x) for x in zip(*((int(b.token_mask.sum()), b.token_mask.numel()) for b in batches), strict=True)
    )
    assert tokens / room > 0.9


@pytest.mark.parametrize("world", [1, 2, 3, 5])
def test_processes_share_the_work(world: int) -> None:
    quiet = [order(Loader(DATA, 8, rank=rank, world=world)) for rank in range(world)]
    assert sorted(i for part in quiet for batch in part for i in batch) == list(range(101))
    mixed = [Loader(DATA, 8, True, rank=rank, world=world) for rank in range(world)]
    assert len({len(order(loader)) for loader in mixed} | {len(loader) for loader in mixed}) == 1
    assert {i for loader in mixed for batch in order(loader) for i in batch} == set(range(101))


def test_more_processes_than_batches() -> None:
    loaders = [Loader(prepared([3, 4]), 8, True, rank=rank, world=4) for rank in range(4)]
    assert [len(order(loader)) for loader in loaders] == [1, 1, 1, 1]


def test_wrong_sizes() -> None:
    with pytest.raises(ConfigError, match="batch_size must be at least 1, got 0"):
        Loader(DATA, 0)
    with pytest.raises(ConfigError, match="rank must be in 0 … 1, got 2"):
        Loader(DATA, 8, rank=2, world=2)
