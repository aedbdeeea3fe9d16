"""What an audit changes: words, slips, facts of a graph, facts of a text, steps of a proof; and what must stay."""

from dataclasses import replace

import numpy as np

from kgreason.audit.named import named_facts, named_steps
from kgreason.audit.subject import Answers
from kgreason.audit.swaps import swaps
from kgreason.audit.typos import typos
from kgreason.audit.walking import only, without
from kgreason.data import (
    ALIGN_RELATIONS,
    Cycle,
    EdgeType,
    Edits,
    Entailment,
    Example,
    KnowledgeGraph,
    LogicGraph,
    Prediction,
)
from kgreason.ground import AlignGrounder
from kgreason.parse import SurfaceParser


def pair(premise: str, hypothesis: str) -> Example:
    return Example("e", (premise, hypothesis), ("premise", "hypothesis"), "neutral")


def test_swaps_are_the_same_in_both_texts_and_keep_the_rest() -> None:
    names, genders, nations = swaps(0)
    found = names(pair("Mary met JOHN in May.", "Mary slept."))
    assert found is not None
    first, second = (text.split()[0] for text in found.texts)
    assert first == second != "Mary"
    assert found.texts[0].split()[2].isupper()
    assert "May" in found.texts[0]
    turned = genders(pair("The man saw her dog with him.", "He saw her."))
    assert turned is not None
    assert turned.texts == ("The woman saw his dog with her.", "She saw him.")
    land = nations(pair("A French cook left France.", "A cook is French."))
    assert land is not None
    assert "French" not in " ".join(land.texts)
    assert nations(pair("A cook polishes.", "He will polish it.")) is None, "a small letter is no nation"


def test_no_two_words_of_a_list_become_one() -> None:
    for seed in range(5):
        for swap in swaps(seed):
            if swap.name != "genders":
                words = ["Mary", "Emily", "John", "James", "French", "German", "Kenyan", "Kenya", "France"]
                found = swap(pair(" ".join(words), "Nothing."))
                assert found is not None
                assert len(set(found.texts[0].split())) == len(words)


def test_mentions_stay_and_are_found_again() -> None:
    example = Example(
        "q", ("who is the father of Mary Frank",), ("question",), frozenset({"x"}), ("m",), ((0, 21, 31),)
    )
    for change in (swaps(0)[1], typos(0)):
        found = change(example)
        assert found is not None
        (_, start, end), (text,) = found.mentions[0], found.texts
        assert text[start:end] == "Mary Frank"
        assert text != example.texts[0]
    assert swaps(0)[0](example) is None, "the only names are those of the entity"


def test_a_slip_changes_two_letters_inside_one_word() -> None:
    found = typos(3)(pair("The museum opened yesterday.", "It is."))
    assert found is not None
    assert found.texts[1] == "It is.", "no word is long enough"
    assert sorted(found.texts[0]) == sorted("The museum opened yesterday.")
    assert sum(a != b for a, b in zip(found.texts[0], "The museum opened yesterday.", strict=True)) == 2
    assert typos(3)(pair("The museum opened yesterday.", "It is.")) == found


def test_facts_are_taken_out_of_a_graph_in_both_directions() -> None:
    graph = KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "r", "c"), ("b", "s", "c"), ("c", "s", "a")])
    gone = graph.triples[[1, 2]].astype(np.int64)
    for left, rows in ((without(graph, gone), [0, 3]), (only(graph, gone), [1, 2])):
        assert left.triples.tolist() == graph.triples[rows].tolist()
        again = KnowledgeGraph.from_ids(graph.entities, graph.relations, graph.triples[rows], graph.labels)
        assert left.head.tolist() == again.head.tolist()
        assert left.tail_ptr.tolist() == again.tail_ptr.tolist()


def aligned() -> tuple[LogicGraph, KnowledgeGraph]:
    knowledge = KnowledgeGraph.from_triples([("cat", "hypernym", "animal"), ("red", "antonym", "blue")])
    parsed = SurfaceParser()([pair("The red cat sleeps", "A blue animal sleeps")])
    return AlignGrounder()(parsed, knowledge)[0], knowledge


def told(graph: LogicGraph) -> set[tuple[str, str, str]]:
    lines = zip(graph.edge_index.T.tolist(), graph.edge_type, graph.edge_relation, strict=True)
    return {
        (graph.node_text[a], ALIGN_RELATIONS[int(relation)], graph.node_text[b])
        for (a, b), kind, relation in lines
        if kind == EdgeType.ALIGN
    }


def test_facts_in_the_graph_of_a_text_are_named_and_taken_out() -> None:
    graph, knowledge = aligned()
    fact, other = ("cat", "hypernym", "animal"), ("red", "antonym", "blue")
    assert told(graph) >= {fact, other}
    cycle = Cycle((), "neutral", {"neutral": 1.0}, evidence="red —antonym→ blue")
    for path, trace, wanted, rest in (((fact,), (), fact, other), ((), (cycle,), other, fact)):
        found = named_facts(graph, Prediction("e", "neutral", 1.0, (), path=path, trace=trace), knowledge)
        assert found.told == "{} —{}→ {}".format(*wanted)
        left = told(found.without(found.named))
        assert wanted not in left
        assert (wanted[0], "other", wanted[2]) in left, "the words still stand side by side"
        assert rest in left
        assert wanted in told(found.without(found.others))
    assert not len(named_facts(graph, Prediction("e", "neutral", 1.0, ()), knowledge).named)


def test_steps_of_a_proof_are_named_and_made_to_say_nothing() -> None:
    graph, _ = aligned()
    relation = np.zeros((7, 2), np.float32)
    relation[Entailment.EQUIVALENCE, 0] = relation[Entailment.FORWARD, 1] = 1
    nodes, polarity = np.array([[0, 2], [4, 6]], np.int32), np.zeros((2, 2), np.int8)
    steps = Edits(np.zeros(2, np.int8), nodes, relation, polarity, ("the → a: same", "cat → animal: hypernym"))
    graph = replace(graph, edits=steps)
    for answer, blank in (("entailment", Entailment.INDEPENDENCE), ("neutral", Entailment.EQUIVALENCE)):
        found = named_steps(graph, {"answer": answer})
        assert found.named.tolist() == [1]
        assert found.told == "cat → animal: hypernym"
        left = found.without(found.named).edits.relation.argmax(0).tolist()
        assert left == [Entailment.EQUIVALENCE, blank]
    assert graph.edits.relation[Entailment.FORWARD, 1] == 1, "the graph itself stays as it was"


def test_an_answer_is_told_by_its_place_and_two_right_ones_are_alike() -> None:
    def rows(*given: tuple[str, int, bool]) -> Answers:
        return Answers.of([{"answer": a, "answer_id": i, "right": r, "probability": 0.5} for a, i, r in given])

    before = rows(("grass", 0, True), ("grass", 0, False), ("grass", 0, False))
    after = rows(("grsas", 0, True), ("grsas", 0, False), ("lions", 1, False))
    assert before.changed(after).tolist() == [False, False, True], "a slip in a choice makes no other choice of it"
    one, other = (Answers.of([{"answer": a, "right": True, "answers": [[a, 0.5]]}]) for a in ("Paris", "Lyon"))
    assert not one.changed(other).any()
