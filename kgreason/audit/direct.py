"""Facts that lead from what a question names to its answer in one step."""

from collections.abc import Sequence

import numpy as np

from kgreason.data import Example, KnowledgeGraph, entities_of, relation_text


def direct_facts(knowledge: KnowledgeGraph, examples: Sequence[Example]) -> list[str]:
    """Return for each question one fact between a seed and a right answer, in words; `""` where there is none.

    Args:
        knowledge: The graph.
        examples: Questions with seeds and names of entities as answers.
    """
    return [_fact(knowledge, example) for example in examples]


def _fact(knowledge: KnowledgeGraph, example: Example) -> str:
    answers = example.target if isinstance(example.target, frozenset) else frozenset()
    wanted = {i for name in sorted(answers) for i in entities_of(knowledge, name).tolist()}
    for seed in (i for name in example.seeds for i in entities_of(knowledge, name).tolist()):
        out = slice(int(knowledge.head_ptr[seed]), int(knowledge.head_ptr[seed + 1]))
        back = slice(int(knowledge.tail_ptr[seed]), int(knowledge.tail_ptr[seed + 1]))
        for ends, relations, inverse in (
            (knowledge.tail[out], knowledge.relation[out], False),
            (knowledge.head[back], knowledge.inverse[back], True),
        ):
            hit = np.flatnonzero(np.isin(ends, list(wanted)))
            if len(hit):
                other, relation = int(ends[hit[0]]), relation_text(knowledge, int(relations[hit[0]]))
                first, second = (other, seed) if inverse else (seed, other)
                return f"{knowledge.label(first)} —{relation}→ {knowledge.label(second)}"
    return ""
