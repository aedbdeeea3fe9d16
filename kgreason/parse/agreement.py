"""Texts that differ in few words get trees that differ in few edges."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from kgreason.data import DEPENDENCY_RELATIONS, EdgeType, LogicGraph, NodeType
from kgreason.data.function_words import FUNCTION_WORDS

_NEXT: Final = DEPENDENCY_RELATIONS.id("next")
_ROOT: Final = -1
_CONJ: Final = DEPENDENCY_RELATIONS.id("conj")
_CASE: Final = DEPENDENCY_RELATIONS.id("case")
_BY_CASE: Final = frozenset(DEPENDENCY_RELATIONS.id(name) for name in ("nmod", "obl"))
_PUNCT: Final = DEPENDENCY_RELATIONS.id("punct")
#: What share of the words of the longer text must recur in order in the other.
_ALIKE: Final = 0.6
#: Words that hang on what they help: verbs, prepositions.
_HELPERS: Final = frozenset(
    """do does did is are was were am be been being has have had will would can could may might must shall should in on
    at of to with by for from into onto near under over not n't""".split()  # noqa: SIM905
)
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
    those of the first text. Where one text is the other with words left out, the longer gives its tree to the shorter,
    for it shows what belongs together ("She sings and dances on Monday", "She sings on Monday").

    Else a text stays as it is if less than six tenths of the words recur, if a content word stands
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
        longer = len(first) >= len(later)
        for p, h in same if longer else [(h, p) for p, h in same]:
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
    """Write the tree of `first` over `later`, or of the longer over the shorter; return the words that both share.

    Returns:
        The words of both, or None if nothing was done.
    """
    if not first or not later:
        return None
    matcher = SequenceMatcher(None, [text[w].lower() for w in first], [text[w].lower() for w in later], autojunk=False)
    steps = matcher.get_opcodes()
    if _is_part(text, first, later, steps):
        return _shorten(tree, first, later, steps)
    same = _shared(first, later, steps)
    if len(same) < _ALIKE * max(len(first), len(later)) or _moved(text, first, later, steps):
        return None
    place: dict[int, int] = {_ROOT: _ROOT}  # from a word of the first text to what stands there in the other
    hung = list(same)  # words of both that hang alike
    for i1, i2, j1, j2 in (step[1:] for step in steps if step[0] == "replace"):
        pairs = _exchanged(tree, first[i1:i2], later[j1:j2])
        if pairs is None or any(_says(text[p]) != _says(text[h]) for p, h in pairs):
            return None
        hung += pairs
        place |= dict.fromkeys(first[i1:i2], pairs[0][1]) if len(pairs) == 1 else {}
    place |= dict(hung)
    head, relation = list(tree.head), list(tree.relation)
    for p, h in hung:
        if tree.head[p] not in place:
            return None
        head[h], relation[h] = place[tree.head[p]], tree.relation[p]
    roots = [sum(heads[w] == _ROOT for w in words) for heads, words in ((tree.head, first), (tree.head, later))]
    if sum(head[w] == _ROOT for w in later) > max(roots) or not _is_forest(head, later):
        return None  # an added word governs the rest: "there is a man playing"
    tree.head[:], tree.relation[:] = head, relation
    return same


def _says(word: str) -> bool:
    """Whether a word says something of its own: "did" is no verb that took the place of "forgot"."""
    return word.lower() not in _HELPERS


def _shared(first: list[int], later: list[int], steps: Sequence[_Step]) -> list[tuple[int, int]]:
    spans = [(first[i1:i2], later[j1:j2]) for tag, i1, i2, j1, j2 in steps if tag == "equal"]
    return [pair for before, after in spans for pair in zip(before, after, strict=True)]


def _is_part(text: Sequence[str], first: list[int], later: list[int], steps: Sequence[_Step]) -> bool:
    """Whether one text is the other with words left out, but for marks; and has two words at least."""
    gone = [text[w] for tag, i1, i2, _, _ in steps if tag != "equal" for w in first[i1:i2] if _is_word(text[w])]
    come = [text[w] for tag, _, _, j1, j2 in steps if tag != "equal" for w in later[j1:j2] if _is_word(text[w])]
    kept = sum(_is_word(text[w]) for tag, i1, i2, _, _ in steps if tag == "equal" for w in first[i1:i2])
    return kept > 1 and bool(gone) != bool(come)


def _is_word(text: str) -> bool:
    return any(map(str.isalnum, text))


def _shorten(tree: _Tree, first: list[int], later: list[int], steps: Sequence[_Step]) -> list[tuple[int, int]] | None:
    """Write the tree of the longer text over the shorter: a word hangs on the nearest that is left of those above it.

    A conjunct takes the place of the one it was joined to, if that is left out.

    Of words above which nothing is left the first is the root, and the others hang on it as they did. Marks that only
    the shorter text has hang on the root.
    """
    same = [
        pair for tag, i1, i2, j1, j2 in steps if tag == "equal" for pair in zip(first[i1:i2], later[j1:j2], strict=True)
    ]
    forth = len(first) >= len(later)
    place = dict(same) if forth else {h: p for p, h in same}
    head, relation, root = list(tree.head), list(tree.relation), _ROOT
    if any(_unhung(tree, word, place) for word in place):
        return None
    heirs = {tree.head[w]: w for w in sorted(place, reverse=True) if tree.relation[w] == _CONJ}
    for word, target in place.items():
        above, relation[target] = tree.head[word], tree.relation[word]
        while above != _ROOT and above not in place:
            if heirs.get(above, word) != word:  # of "no cats or dogs" to "no dogs" the second takes the first's place
                above = heirs[above]
            else:
                relation[target] = tree.relation[above] if above in heirs else relation[target]
                above = tree.head[above]
        head[target] = place.get(above, _ROOT)
    short = later if forth else first
    placed = set(place.values())
    for word in short:
        if word in placed and head[word] == _ROOT:
            root, head[word] = (word, _ROOT) if root == _ROOT else (root, root)
    for word in short:
        if word not in placed:
            head[word], relation[word] = root, _PUNCT
    if not _is_forest(head, short):
        return None
    tree.head[:], tree.relation[:] = head, relation
    return same


def _unhung(tree: _Tree, word: int, place: Mapping[int, int]) -> bool:
    """Whether the preposition is left out by which a word hung on another: it has another place now."""
    if tree.head[word] == _ROOT or tree.relation[word] not in _BY_CASE:
        return False
    return any(tree.relation[k] == _CASE and h == word and k not in place for k, h in enumerate(tree.head))


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
