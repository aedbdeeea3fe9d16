"""R-Drop against its equation, and what it is for: a reasoner whose dropout changes its answers less."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from kgreason.errors import ConfigError
from kgreason.reasoner import Reasoner
from kgreason.tensors import GraphBatch, Scores
from kgreason.train import TrainSettings, seed_everything
from kgreason.train.consistency import batch_loss, disagreement
from kgreason.train.loss import loss_of
from tests.rooms.test_train import FAST, toy, train

ALL = torch.arange(toy.EXAMPLES)


def twice(reasoner: Reasoner, batch: GraphBatch) -> tuple[Scores, Scores]:
    seed_everything(5)
    one, _ = reasoner(batch)
    other, _ = reasoner(batch)
    return one, other


def test_the_loss_is_the_mean_of_two_passes_and_what_they_disagree_in() -> None:
    reasoner, batch = toy.toy_reasoner(), toy.toy_batch(ALL[:12])
    reasoner.train()
    seed_everything(5)
    got = batch_loss(reasoner, batch, TrainSettings(consistency=0.7, precision="fp32"))
    seed_everything(5)
    (one, trace), (other, after) = reasoner(batch), reasoner(batch)
    p, q = (Categorical(logits=s.value.view(12, -1)) for s in (one, other))
    apart = (kl_divergence(p, q) + kl_divergence(q, p)).sum() / 2
    expected = (loss_of(one, trace, batch) + loss_of(other, after, batch)) / 2 + 0.7 * apart
    assert apart > 1e-4
    torch.testing.assert_close(got, expected)


def test_without_dropout_two_passes_are_one() -> None:
    reasoner, batch = toy.toy_reasoner(dropout=0.0), toy.toy_batch(ALL[:12])
    reasoner.train()
    plain, both = (batch_loss(reasoner, batch, TrainSettings(consistency=c, precision="fp32")) for c in (0.0, 3.0))
    torch.testing.assert_close(plain, both)


def test_what_is_trained_with_it_depends_less_on_dropout(tmp_path: Path) -> None:
    batch, apart = toy.toy_batch(ALL), []
    for alpha in (0.0, 4.0):
        settings = replace(FAST, consistency=alpha, epochs=6)
        reasoner, _ = train(tmp_path / str(alpha), settings, reasoner=toy.toy_reasoner(dropout=0.4))
        reasoner.train()
        apart.append(float(disagreement(*twice(reasoner, batch), batch).detach()))
    assert apart[1] < apart[0] / 2


def test_passes_that_list_other_candidates_are_refused() -> None:
    reasoner, batch = toy.toy_reasoner(), toy.toy_batch(ALL[:4])
    one, other = twice(reasoner, batch)
    with pytest.raises(ConfigError, match="Set consistency = 0"):
        disagreement(one, replace(other, candidate=other.candidate.flip(0)), batch)
