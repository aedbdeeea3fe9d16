import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

from kgreason.encode import LANGUAGES, PretrainedLanguage
from kgreason.encode.cache import StateCache
from kgreason.errors import ConfigError, StoreError
from kgreason.tensors import GraphBatch
from tests.conftest import random_batch

WIDTH = 16


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A BERT of three small layers with random weights, in a folder."""
    folder = tmp_path_factory.mktemp("bert")
    config = BertConfig(
        vocab_size=32,
        hidden_size=WIDTH,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return str(folder)


def language(model: str, **arguments: object) -> PretrainedLanguage:
    built = LANGUAGES.build({"name": "pretrained", "model": model, "precision": "float32", **arguments})
    assert isinstance(built, PretrainedLanguage)
    return built.eval()


@pytest.fixture
def batch() -> GraphBatch:
    """Two rows; the second is shorter."""
    batch = random_batch([3, 2], tokens=6)
    batch.token_mask[1, 4:] = False
    batch.token_text[1, 4:] = -1
    return batch


@pytest.mark.parametrize(("tune", "layers"), [("frozen", 1), ("top", 1), ("top", 2), ("top", 3)])
def test_however_it_is_tuned_the_states_are_the_same(model: str, batch: GraphBatch, tune: str, layers: int) -> None:
    want = language(model, tune="full")(batch)
    torch.testing.assert_close(
        language(model, tune=tune, layers=layers)(batch), want, atol=4e-3, rtol=2e-3
    )  # float16 on disk


def test_against_transformers(model: str, batch: GraphBatch) -> None:
    types = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]])
    theirs = BertModel.from_pretrained(model).eval()
    with torch.no_grad():
        want = theirs(batch.input_ids, attention_mask=batch.token_mask.long(), token_type_ids=types).last_hidden_state
    torch.testing.assert_close(language(model, tune="full")(batch), want * batch.token_mask[..., None])


def test_only_what_is_tuned_is_trained_and_kept(model: str, batch: GraphBatch) -> None:
    assert not language(model).state_dict()
    top = language(model, tune="top", layers=1)
    assert {name.split(".")[3] for name in top.state_dict()} == {"0"}
    top(batch).sum().backward()
    assert all(p.grad is not None for p in top.parameters())
    full = language(model, tune="full")
    full(batch).sum().backward()
    assert all(p.grad is not None for p in full.parameters())


def test_the_frozen_part_never_drops_out(model: str, batch: GraphBatch) -> None:
    frozen = language(model, cache_gb=0).train()
    assert torch.equal(frozen(batch), frozen(batch))
    tuned = language(model, tune="top").train()
    assert not torch.equal(tuned(batch), tuned(batch))


@pytest.mark.parametrize(("precision", "most"), [("float32", 0.002), ("bfloat16", 0.08)])
def test_the_batch_that_a_row_came_in_changes_its_last_bits_alone(precision: str, most: float) -> None:
    minilm = language("minilm", cache_gb=0, precision=precision)
    lengths = [7, 12, 21, 40]
    ids, mask = torch.randint(1000, 20000, (4, 40)), torch.arange(40) < torch.tensor(lengths)[:, None]
    types = torch.zeros_like(ids)
    together = minilm._compute(ids, types, mask).float()
    assert together[mask].abs().max() > 1
    for i, n in enumerate(lengths):
        alone = minilm._compute(ids[i : i + 1, :n], types[i : i + 1, :n], mask[i : i + 1, :n]).float()
        assert (alone[0] - together[i, :n]).abs().max() < most


def test_states_come_from_disk_the_second_time(
    model: str, batch: GraphBatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = language(model)(batch)
    again = language(model)

    def never(*_: object) -> None:
        raise AssertionError("the model was run")

    monkeypatch.setattr(again, "_compute", never)
    assert torch.equal(again(batch), first)
    assert sum(p.stat().st_size for p in tmp_path.rglob("*.f16")) == 10 * WIDTH * 2


def test_other_weights_have_other_states(model: str, batch: GraphBatch, tmp_path: Path) -> None:
    one = language(model)(batch)
    other = BertModel.from_pretrained(model)
    torch.nn.init.normal_(other.encoder.layer[0].output.dense.weight)
    other.save_pretrained(tmp_path / "other")
    assert not torch.allclose(language(str(tmp_path / "other"))(batch), one)


def test_the_same_tokens_as_another_text_are_another_row(model: str, batch: GraphBatch) -> None:
    frozen = language(model)
    first = frozen(batch)
    batch.token_text.zero_()
    assert not torch.allclose(frozen(batch), first)


def test_low_precision_is_near(model: str, batch: GraphBatch) -> None:
    exact = language(model, tune="full")(batch)
    low = language(model, tune="full", precision="bfloat16")
    torch.testing.assert_close(low(batch), exact, atol=0.1, rtol=0.1)
    assert low(batch).dtype == torch.float32
    assert {p.dtype for p in low.parameters()} == {torch.float32}


def test_padding_ids_of_its_own_kind(tmp_path: Path, batch: GraphBatch) -> None:
    """RoBERTa counts positions from its padding id on, and has one type only."""
    config = RobertaConfig(
        vocab_size=32,
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=10,
        type_vocab_size=1,
    )
    RobertaModel(config).save_pretrained(tmp_path)
    lm = language(str(tmp_path), tune="full")
    batch.input_ids[batch.input_ids == config.pad_token_id] = 5
    assert lm(batch).isfinite().all()
    assert lm.max_tokens == 8


def test_a_row_that_is_too_long(model: str) -> None:
    with pytest.raises(ConfigError, match="A row has 25 tokens; the language model reads 24"):
        language(model)(random_batch([1], tokens=25))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tune": "some"}, "tune = 'some' is not known. Known: frozen, top, full"),
        ({"tune": "top", "layers": 4}, "layers = 4, but the model has 1 to 3"),
        ({"precision": "float8"}, "precision = 'float8' is not known"),
        ({"model": "no/such/folder"}, "'no/such/folder' could not be loaded"),
    ],
)
def test_wrong_arguments(model: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LANGUAGES.build({"name": "pretrained", "model": model, **arguments})


KEYS = [bytes([i]) * 16 for i in range(4)]
ROWS = [np.full((i + 1, WIDTH), i, np.float16) for i in range(4)]


@pytest.fixture
def cache(tmp_path: Path) -> Callable[[], StateCache]:
    return lambda: StateCache(tmp_path / "states", WIDTH, 10**6)


def rows_of(cache: StateCache, i: int) -> np.ndarray:
    out = np.full((6, WIDTH), -1, np.float16)
    cache.read(KEYS[i], out)
    assert (out[i + 1 :] == -1).all()
    return out[: i + 1]


def test_several_processes_fill_one_cache(cache: Callable[[], StateCache]) -> None:
    one, other = cache(), cache()
    one.add(KEYS[:2], ROWS[:2])
    other.add(KEYS[1:3], ROWS[1:3])
    for each in (one, other, cache()):
        assert each.missing(KEYS) == [3]
        for i in range(3):
            np.testing.assert_array_equal(rows_of(each, i), ROWS[i])
    one.add(KEYS[3:], ROWS[3:])  # after its map was made
    assert one.missing(KEYS) == other.missing(KEYS) == []
    np.testing.assert_array_equal(rows_of(other, 3), ROWS[3])


@pytest.mark.parametrize("kind", ["f16", "idx"])
@pytest.mark.parametrize("cut", [1, 40, 10**6])
def test_what_was_cut_short_is_not_there(cache: Callable[[], StateCache], tmp_path: Path, kind: str, cut: int) -> None:
    cache().add(KEYS, ROWS)
    (file,) = tmp_path.rglob(f"*.{kind}")
    file.write_bytes(file.read_bytes()[:-cut])
    found = cache()
    lost = found.missing(KEYS)
    assert 3 in lost
    for i in set(range(4)) - set(lost):
        np.testing.assert_array_equal(rows_of(found, i), ROWS[i])
    found.add([KEYS[i] for i in lost], [ROWS[i] for i in lost])
    again = cache()
    assert again.missing(KEYS) == []
    np.testing.assert_array_equal(rows_of(again, 3), ROWS[3])


def test_what_was_changed_is_not_there(cache: Callable[[], StateCache], tmp_path: Path) -> None:
    cache().add(KEYS, ROWS)
    (file,) = tmp_path.rglob("*.f16")
    data = bytearray(file.read_bytes())
    data[2 * WIDTH + 3] ^= 1  # in the second entry
    file.write_bytes(data)
    assert cache().missing(KEYS) == [1]


def test_a_full_cache_takes_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    small = StateCache(tmp_path / "states", WIDTH, 100)
    with caplog.at_level(logging.INFO):
        small.add(KEYS[:2], ROWS[:2])
        small.add(KEYS[2:], ROWS[2:])
        small.add(KEYS[2:], ROWS[2:])
    assert small.missing(KEYS) == [2, 3]
    assert len(caplog.records) == 1


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "states").write_text("a file stands here")
    blocked = StateCache(tmp_path / "states", WIDTH, 10**6)
    with pytest.raises(StoreError, match=r"could not be written to .*KGREASON_CACHE"):
        blocked.add(KEYS, ROWS)


def test_a_recurrent_network_reads_each_row_alone_and_padding_as_nothing() -> None:
    torch.manual_seed(0)
    built = LANGUAGES.build({"name": "recurrent", "width": 6, "vocabulary": 32})
    batch = random_batch([2, 1])
    ids = torch.tensor([[5, 37, 7, 0], [9, 4, 0, 0]])
    mask = torch.tensor([[True, True, True, False], [True, True, False, False]])
    batch = replace(batch, input_ids=ids, token_mask=mask, token_text=torch.zeros_like(ids))
    both = built(batch)
    assert both.shape == (2, 4, 6)
    assert not both[~mask].any()
    one = random_batch([1])
    alone = built(replace(one, input_ids=ids[1:, :2], token_mask=mask[1:, :2], token_text=ids[1:, :2] * 0))
    torch.testing.assert_close(both[1, :2], alone[0])
    folded = built(replace(batch, input_ids=torch.where(ids == 37, 5, ids)))
    torch.testing.assert_close(both, folded)
    for table in ({"width": 5}, {"width": 0}, {"layers": 0}):
        with pytest.raises(ConfigError, match=r"recurrent: (width|layers) = "):
            LANGUAGES.build({"name": "recurrent"} | table)
