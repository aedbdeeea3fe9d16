"""Texts that differ in few words get trees that differ in few edges."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from kgreason.data import DEPENDENCY_RELATIONS, EdgeType, LogicGraph, NodeType
from kgreason.data.function_words import FUNCTION_WORDS

_NEXT: Final = DEPENDENCY_RELATIONS.id("next")
_ROOT: Final = -1
#: What share of the words of the longer text must recur in order in the other.
_ALIKE: Final = 0.6
_Step: TypeAlias = tuple[str, int, int, int, int]


class _Tree(NamedTuple):
    """The governor and the relation of every word of a graph; -1 and 0 for a root."""

    head: list[int]
    relation: list[int]


def agree(graph: LogicGraph) -> LogicGraph:
    """Give every later text the tree of the first where both have the same words in the same order.

    A parser reads each text by itself, and one other word can turn a whole tree over: then the two say different things
    of words that both share. Where a stretch of words stands in place of another, it keeps its own inner edges and
    hangs where the other hung; added words hang where they hung by themselves. Parts of speech of shared words are
    those of the first text. A text stays as it is if less than six tenths of the words recur, if a content word stands
    elsewhere in the other ("Kim gave Lee a book", "Kim gave a book to Lee"), if a shared word hangs on one that is left
    out, or if no tree would come of it.

    Args:
        graph: WORD nodes and DEPENDENCY edges; with other nodes or other edges it is returned as it is.
    """
    if (graph.node_type != NodeType.WORD).any() or (graph.edge_type != EdgeType.DEPENDENCY).any():
        return graph
    if not graph.num_edges or (graph.edge_relation == _NEXT).any():
        return graph
    text = graph.node_span[:, 0]
    first = np.flatnonzero(text == 0).tolist()
    tree = _read(graph)
    changed, pos, lemma = False, graph.node_pos.copy(), list(graph.node_lemma)
    for other in range(1, int(text.max(initial=0)) + 1):
        later = np.flatnonzero(text == other).tolist()
        same = _transfer(graph.node_text, tree, first, later)
        if same is None:
            continue
        changed = True
        for p, h in same:
            pos[h], lemma[h] = pos[p], lemma[p]
    return _with_tree(replace(graph, node_pos=pos, node_lemma=tuple(lemma)), tree) if changed else graph


def _read(graph: LogicGraph) -> _Tree:
    head, relation = [_ROOT] * graph.num_nodes, [0] * graph.num_nodes
    for source, target, name in zip(*graph.edge_index.tolist(), graph.edge_relation.tolist(), strict=True):
        head[target], relation[target] = source, name
    return _Tree(head, relation)


def _with_tree(graph: LogicGraph, tree: _Tree) -> LogicGraph:
    targets = [w for w, head in enumerate(tree.head) if head != _ROOT]
    return replace(
        graph,
        edge_index=np.array([[tree.head[w] for w in targets], targets], np.int32).reshape(2, -1),
        edge_type=np.full(len(targets), EdgeType.DEPENDENCY, np.int8),
        edge_relation=np.array([tree.relation[w] for w in targets], np.int32),
        edge_score=np.ones(len(targets), np.float32),
    )


def _transfer(text: Sequence[str], tree: _Tree, first: list[int], later: list[int]) -> list[tuple[int, int]] | None:
    """Write the tree of `first` over `later`; return the words that both share, or None if nothing was done."""
    if not first or not later:
        return None
    matcher = SequenceMatcher(None, [text[w].lower() for w in first], [text[w].lower() for w in later], autojunk=False)
    steps = matcher.get_opcodes()
    shared = sum(i2 - i1 for tag, i1, i2, _, _ in steps if tag == "equal")
    if shared < _ALIKE * max(len(first), len(later)) or _moved(text, first, later, steps):
        return None
    place: dict[int, int] = {_ROOT: _ROOT}  # from a word of the first text to what stands there in the other
    same: list[tuple[int, int]] = []
    hung: list[tuple[int, int]] = []  # words of both that hang alike
    for tag, i1, i2, j1, j2 in steps:
        before, after = first[i1:i2], later[j1:j2]
        if tag == "equal":
            same += zip(before, after, strict=True)
            hung += zip(before, after, strict=True)
        elif tag == "replace":
            pairs = _exchanged(tree, before, after)
            if pairs is None:
                return None
            hung += pairs
            place |= dict.fromkeys(before, pairs[0][1]) if len(pairs) == 1 else {}
    place |= dict(hung)
    head, relation = list(tree.head), list(tree.relation)
    for p, h in hung:
        if tree.head[p] not in place:
            return None
        head[h], relation[h] = place[tree.head[p]], tree.relation[p]
    if not _is_forest(head, later):
        return None
    tree.head[:], tree.relation[:] = head, relation
    return same


def _moved(
    text: Sequence[str], first: list[int], later: list[int], steps: Sequence[tuple[str, int, int, int, int]]
) -> bool:
    """Whether a content word stands elsewhere in the other text: then the two are built differently."""
    gone = {text[w].lower() for tag, i1, i2, _, _ in steps if tag != "equal" for w in first[i1:i2]}
    come = {text[w].lower() for tag, _, _, j1, j2 in steps if tag != "equal" for w in later[j1:j2]}
    return any(word not in FUNCTION_WORDS and word.isalpha() for word in gone & come)


def _exchanged(tree: _Tree, before: list[int], after: list[int]) -> list[tuple[int, int]] | None:
    """Return which word takes the place of which where one stretch of words stands for another; None if unclear."""
    heads = [[w for w in span if tree.head[w] not in span] for span in (before, after)]
    if len(heads[0]) == len(heads[1]) == 1:
        return [(heads[0][0], heads[1][0])]
    return list(zip(before, after, strict=True)) if len(before) == len(after) else None


def _is_forest(head: Sequence[int], words: list[int]) -> bool:
    """Whether every word comes to a root of its own text by going up."""
    inside = set(words)
    done: set[int] = {_ROOT}
    for word in words:
        seen: list[int] = []
        at = word
        while at not in done:
            if at not in inside or at in seen:
                return False
            seen.append(at)
            at = head[at]
        done.update(seen)
    return True
