"""The judge of edits that learns: where it starts, what it hides, and that labels alone are enough for it."""

from dataclasses import replace
from itertools import product

import torch
from torch import Tensor, nn

from kgreason.answer import ProofHead
from kgreason.decode import NaturalLogicDecoder
from tests.edited import Edit, edited_states

#: Some rows of edits, sure and not.
ROWS = [
    [Edit("substitute", "⊏", "upward", "no"), Edit("operator", "^")],
    [Edit("substitute", {"⊏": 0.5, "|": 0.3, "#": 0.2}), Edit("insert", "⊐")],
    [Edit("operator", {"⊐": 0.7, "#": 0.3}, "upward", "not"), Edit("operator", "^"), Edit("reorder", "≡")],
    [],
]


def learned(**settings: float) -> NaturalLogicDecoder:
    return NaturalLogicDecoder(dim=8, judge={"name": "learned", **settings})


def test_before_training_the_learned_judge_says_what_the_grounder_says() -> None:
    states = edited_states(ROWS)
    want, got = NaturalLogicDecoder(dim=8)(states).proof, learned().eval()(states).proof
    assert want is not None
    assert got is not None
    torch.testing.assert_close(got.state, want.state)


def test_words_are_hidden_in_training_only() -> None:
    states = edited_states([[Edit("substitute", {"⊏": 0.5, "|": 0.5}, nodes=(0, 1))]] * 4)
    decoder = learned(word_dropout=0.5, dropout=0.0)
    nn.init.normal_(decoder.judge.correct.weight)  # type: ignore[union-attr, arg-type]
    relation = [decoder.train()(states).proof.relation for _ in range(2)]  # type: ignore[union-attr]
    assert not torch.equal(relation[0], relation[1])
    relation = [decoder.eval()(states).proof.relation for _ in range(2)]  # type: ignore[union-attr]
    assert torch.equal(relation[0], relation[1])


def test_relations_are_learnt_from_labels_alone() -> None:
    """The grounder is not sure of any word; which pairs exclude shows in their states, and only labels are given."""
    torch.manual_seed(1)
    vectors = torch.randn(4, 8)  # node 1 to node 0 entails, node 1 to node 2 excludes
    unsure = {"⊏": 0.4, "|": 0.3, "#": 0.3}
    rows, target = [], []
    for first, second, negated in product((0, 2), (0, 2), (False, True)):
        place = "not" if negated else "upward"
        rows.append([Edit("substitute", unsure, place, nodes=(1, first)), Edit("delete", unsure, nodes=(1, second))])
        excluded = second == 2 or (first == 2 and not negated)
        target.append(2 if excluded else 1 if negated else 0)
    states = edited_states(rows)
    states = replace(states, nodes=vectors.repeat(len(rows), 1))
    decoder, head = learned(word_dropout=0.0, dropout=0.0), ProofHead(3)
    optimiser = torch.optim.Adam([*decoder.parameters(), *head.parameters()], lr=0.01)
    gold = torch.tensor(target)

    def logits() -> Tensor:
        found: Tensor = head(states, decoder(states)).value.view(-1, 3)
        return found

    assert (logits().argmax(-1) == gold).float().mean() < 1
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.cross_entropy(logits(), gold).backward()
        optimiser.step()
    assert (logits().argmax(-1) == gold).all()
