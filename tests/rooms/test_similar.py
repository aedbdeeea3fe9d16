"""A decoder that needs no training: words are aligned with relations, and the best paths are walked."""

from pathlib import Path

import pytest
import torch

from kgreason.decode.alignment import Beam, Prices, Reading, begin, extend, finish
from kgreason.decode.similar import Sense
from kgreason.errors import ConfigError
from kgreason.experiment.ask import UNTRAINED
from kgreason.experiment.build import build_front, build_reasoner
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.senses import WordSenses
from kgreason.pipeline import Pipeline

FACTS = [(f"Film {i}", "directed_by", f"Person {i // 3}") for i in range(12)]
FACTS += [(f"Film {i}", "written_by", f"Person {(i + 5) % 7}") for i in range(12)]
FACTS += [(f"Film {i}", "release_year", str(1990 + i % 5)) for i in range(12)]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder: Path = tmp_path_factory.mktemp("films")
    (folder / "films.tsv").write_text("".join("\t".join(fact) + "\n" for fact in FACTS))
    tables = UNTRAINED | {"title": "films", "knowledge": {"name": "triples", "path": str(folder / "films.tsv")}}
    config = ExperimentConfig.from_dict(tables | {"ground": {"name": "seeds"}, "train": {"name": "none"}})
    front = build_front(config)
    reasoner = build_reasoner(config, front)
    return Pipeline(front.task, front.parse, front.knowledge, front.ground, front.collate, reasoner)


def others(film: int, by: str) -> set[str]:
    who = {t for h, r, t in FACTS if (h, r) == (f"Film {film}", by)}
    return {h for h, r, t in FACTS if r == by and t in who} - {f"Film {film}"}


QUESTIONS = {
    "who directed [Film 4]?": {"Person 1"},
    "Which person was [Film 4] written by?": {"Person 2"},
    "when was [Film 3] released": {"1993"},
    "what films did [Person 1] direct": {"Film 3", "Film 4", "Film 5"},
    "films with the same director as [Film 4]": others(4, "directed_by"),
    "in which year were the movies directed by [Person 1] released?": {"1993", "1994", "1990"},
    "who wrote the films directed by [Person 1]": {"Person 1", "Person 2", "Person 3"} - {"Person 1"},
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_are_answered_with_no_training(films: Pipeline, question: str) -> None:
    found = films(question)
    assert found.answer in QUESTIONS[question]
    best = [name for name, p in found.ranking if p >= found.probability / 2]
    assert QUESTIONS[question] <= set(best)


def test_nothing_is_there_to_train_in_the_decoder(films: Pipeline) -> None:
    assert not list(films.reasoner.decode.parameters())  # type: ignore[attr-defined]


def senses(names: list[list[float]]) -> list[tuple[int, Sense]]:
    """Words at places 0, 1, … that name two relations and their inverses."""
    nothing = torch.zeros(4)
    return [(i, Sense(torch.tensor(row), nothing, nothing, 1.0, False, False)) for i, row in enumerate(names)]


def explained(names: list[list[float]], path: list[int], prices: Prices) -> float:
    """What a path is worth by its definition: the best of all ways to cut the words into one stretch per relation."""
    words = names[::-1]  # the mention stands at the end

    def gain(stretch: list[list[float]], r: int) -> float:
        whole = sum(w[r] - prices.floor if w[r] > prices.floor else -prices.unexplained for w in stretch)
        sharp = [w[r] * min(1.0, (2 / max(1, sum(m > 0.6 for m in w))) ** 0.5) for w in stretch]
        return whole + prices.named * max(sharp, default=0.0) - prices.step

    def best(start: int, rest: list[int]) -> float:
        if len(rest) == 1:
            return gain(words[start:], rest[0])
        cuts = range(start, len(words) + 1)
        return max(gain(words[start:cut], rest[0]) + best(cut, rest[1:]) for cut in cuts)

    return best(0, path)


@pytest.mark.parametrize("seed", range(5))
def test_a_path_is_worth_what_its_best_alignment_is(seed: int) -> None:
    torch.manual_seed(seed)
    names = torch.rand(5, 4).tolist()
    reading = Reading.of([senses(names)], [[5]], 4)
    prices, beam = Prices(step=0.3), begin(reading)
    for length in (1, 2, 3):
        beam = extend(beam, reading, torch.ones(1, beam.alive.shape[1], 4, dtype=torch.bool), 64, prices)
        value = finish(beam, reading, prices)[0]
        assert beam.path.shape == (1, 4**length, length)
        for path, got in zip(beam.path[0].tolist(), value.tolist(), strict=True):
            assert got == pytest.approx(explained(names, path, prices), abs=1e-4)


@pytest.mark.parametrize(
    "question",
    [
        "[Film 4]",
        "what does it cost to rent [Film 4]?",
        "which mountain is taller than [Film 4]?",
        "[Person 1] recipes",
    ],
)
def test_what_the_graph_does_not_say_is_not_answered(films: Pipeline, question: str) -> None:
    found = films(question)
    assert found.answer == "none of these"
    assert found.probability > 0.5


def test_polite_words_change_nothing(films: Pipeline) -> None:
    plain, polite = films("who directed [Film 4]?"), films("Can you please tell me exactly who directed [Film 4]?")
    assert polite.answer == plain.answer
    assert polite.probability == pytest.approx(plain.probability, abs=1e-3)


def test_no_path_is_as_likely_as_leaving_every_word_unexplained() -> None:
    prices, reading = Prices(), Reading.of([senses([[0.9, 0.0, 0.0, 0.0], [0.0] * 4])], [[2]], 4)
    best = finish(extend(begin(reading), reading, torch.ones(1, 1, 4, dtype=torch.bool), 4, prices), reading, prices)
    empty = -prices.nothing - 2 * prices.unexplained
    assert best.max() == pytest.approx(0.9 - prices.floor - prices.unexplained + 0.9 - prices.step)
    assert best.max() > empty > best.min()


def test_what_stands_before_a_name_is_not_what_is_sought_after_it() -> None:
    kind = torch.tensor([0.0, 0.0, 1.0, 0.0])  # the inverse of relation 0 starts from directors
    still = torch.zeros(4)
    what = Sense(still, still, still, 0.0, False, True)
    directors = Sense(still, kind, still, 1.0, False, False)
    sought = Reading.of([[(0, what), (1, directors)]], [[3]], 4)  # which directors made X?
    named = Reading.of([[(0, what), (3, directors)]], [[2]], 4)  # what was X the director of?
    assert sought.asks.tolist() == [[1.0, -1.0, -1.0, -1.0]]
    assert named.asks.tolist() == [[0.0] * 4]


def test_synonyms_name_a_relation(tmp_path: Path) -> None:
    (tmp_path / "g.tsv").write_text("A\tadjoining_state\tB\nA\tfilming_location\tC\n")
    tables = UNTRAINED | {"title": "t", "knowledge": {"name": "triples", "path": str(tmp_path / "g.tsv")}}
    senses_of = WordSenses(build_front(ExperimentConfig.from_dict(tables)).knowledge, "minilm")
    names = senses_of._sense("country").names  # a state, by the first sense of country; the cosine is 0.33
    assert names[0] >= 0.7
    assert names[1] < 0.35


def test_a_beam_keeps_the_best_and_only_what_leaves() -> None:
    reading = Reading.of([senses([[0.0, 1.0, 0.2, 0.9]])], [[1]], 4)
    leaving = torch.tensor([[[True, False, True, True]]])
    beam: Beam = extend(begin(reading), reading, leaving, 2, Prices())
    assert beam.path[0, :, 0].tolist() == [3, 2]


@pytest.mark.parametrize(("table", "message"), [({"stepp": 1}, "has no 'stepp'"), ({"step": -1.0}, "step = -1.0")])
def test_prices_out_of_range_are_refused(table: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Prices.of(table)
