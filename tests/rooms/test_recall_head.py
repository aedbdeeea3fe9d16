"""The head that answers from memory: all entities at test time, a sample in training, against its equation."""

from dataclasses import replace

import pytest
import torch

from kgreason.answer import HEADS
from kgreason.decode import DECODERS
from kgreason.errors import ConfigError
from tests.conftest import random_states


def test_it_scores_every_entity_by_the_question_alone() -> None:
    head = HEADS.build({"name": "recall", "width": 3}, dim=4, num_entities=7)
    states = random_states([2, 1], 4)
    trace = DECODERS.build({"name": "pool"})(states)
    assert isinstance(head, torch.nn.Module)
    scores = head.eval()(states, trace)
    assert scores.candidate.tolist() == [*range(7)] * 2
    for b in range(2):
        asked = head.ask(torch.cat([states.query[b], trace.output[0, b]]))
        s = head.vectors.weight @ asked + head.prior.weight[:, 0]
        torch.testing.assert_close(scores.value[7 * b : 7 * b + 7], s.log_softmax(0))


def test_training_looks_at_the_answers_of_the_batch_and_some_others() -> None:
    head = HEADS.build({"name": "recall", "negatives": 5}, dim=4, num_entities=1000)
    states = random_states([2, 1], 4)
    batch = replace(states.batch, target=torch.tensor([[0, 1, 1], [998, 3, -2]]))
    states = replace(states, batch=batch)
    trace = DECODERS.build({"name": "pool"})(states)
    scores = head(states, trace)
    seen = set(scores.candidate.tolist())
    assert {998, 3} <= seen
    assert len(seen) <= 7
    with pytest.raises(ConfigError, match="negatives = 0"):
        HEADS.build({"name": "recall", "negatives": 0}, dim=4, num_entities=7)
