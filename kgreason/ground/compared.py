"""Comparisons: told from the other side ("Ann is taller than Bob", "Bob is shorter than Ann"), and in a row."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from typing import Final

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.ground.changing import Change, Distribution, spread
from kgreason.ground.pairing import Pairing
from kgreason.ground.trees import Unit

_TOLD_ALIKE: Final = spread((Entailment.EQUIVALENCE, 0.9))
_TOLD_OTHERWISE: Final = spread((Entailment.ALTERNATION, 0.92))
_COMPARED: Final = frozenset({"ADJ", "ADV"})
_OPPOSED: Final = 0.5
#: The two ends of each scale, what is more first.
_ENDS: Final = """
old/young tall/short long/short big,large/small heavy/light fast,quick/slow rich/poor high/low strong/weak hot/cold
warm/cool expensive/cheap late/early far/near hard,difficult/easy good/bad wide/narrow thick/thin bright/dark sharp/dull
loud/quiet deep/shallow smart,clever/stupid happy/sad
"""


def _scales() -> dict[str, list[tuple[str, int]]]:
    """Return for each word the scales that it stands on, and at which end."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for scale in _ENDS.split():
        for words, sign in zip(scale.split("/"), (1, -1), strict=True):
            for word in words.split(","):
                found[word].append((scale, sign))
    return dict(found)


_SCALES: Final = _scales()
_SURE: Final = 0.93
_ENTAILED, _EXCLUDED = spread((Entailment.FORWARD, _SURE)), spread((Entailment.ALTERNATION, _SURE))
_OPEN: Final = spread((Entailment.INDEPENDENCE, _SURE))
#: A comparison: what is compared, of whom, with whom; 1: it is more so, 0: as much.
_Order = tuple[str, str, str, int]


def compare_sides(m: Pairing, substitutions: list[Change]) -> list[Change]:
    """Return the substitutions, with one edit for each comparison whose two sides changed places.

    The same word said of the other excludes what was said; its opposite said of the other is the same.
    """
    found = list(substitutions)
    for j, i in enumerate(m.back):
        if i < 0 or not {m.p[i].pos, m.h[j].pos} <= _COMPARED or not _turned(m, i, j):
            continue
        here = [c for c in found if (c.premise, c.hypothesis) == (i, j)]
        if m.p[i].lemma == m.h[j].lemma:
            relation = _TOLD_OTHERWISE
        elif any(c.relation[Entailment.ALTERNATION] + c.relation[Entailment.NEGATION] > _OPPOSED for c in here):
            relation = _TOLD_ALIKE
        else:
            continue
        reason = f"{m.p[i].text} → {m.h[j].text}: told from the other side"
        found = [c for c in found if c not in here] + [Change(EditKind.SUBSTITUTE, i, j, relation, reason)]
    return found


def _turned(m: Pairing, i: int, j: int) -> bool:
    first, then = _sides(m.p, i), _sides(m.h, j)
    if min(*first, *then) < 0:
        return False
    return (m.back[then[0]], m.back[then[1]]) == (first[1], first[0])


def _sides(units: list[Unit], at: int) -> tuple[int, int]:
    """Return what is compared and with what: units, or -1."""
    below = units[at].children
    subject = next((c for c in below if units[c].relation == "nsubj"), -1)
    other = next((c for c in below if "than" in (units[c].case, units[c].mark)), -1)
    return subject, other


def ordered(m: Pairing) -> list[Change]:
    """Return the one edit that an order of several comes to: "Ann is older than Bob, and Bob than Cy"; else nothing."""
    asked, told = list(_comparisons(m.h)), list(_comparisons(m.p))
    if len(told) < 2 or any(unit.negation >= 0 for unit in (*m.p, *m.h)):
        return []
    for scale, first, other, more in asked:
        here = [(a, b, much) for kind, a, b, much in told if kind == scale]
        known = {name for a, b, _ in here for name in (a, b)}
        if len(here) < 2 or not {first, other} <= known:
            continue
        way, back = _way(here, first, other), _way(here, other, first)
        if way is not None and len(way[0]) < 3:
            return []  # one comparison is compared word by word
        i, j = (next(k for k, unit in enumerate(units) if unit.lemma == first) for units in (m.p, m.h))
        relation, reason = _concluded(way, back, more, f"{first} and {other}")
        return [Change(EditKind.OPERATOR, i, j, relation, f"{scale}: {reason}", whole=True)]
    return []


_Way = tuple[list[str], int]


def _concluded(way: _Way | None, back: _Way | None, more: int, pair: str) -> tuple[Distribution, str]:
    if way is not None:
        return (_ENTAILED if way[1] == more else _EXCLUDED), " > ".join(way[0])
    if back is not None:
        return (_ENTAILED if back[1] == more == 0 else _EXCLUDED), " > ".join(back[0])
    return _OPEN, f"{pair} are not compared"


def _comparisons(units: list[Unit]) -> Iterator[_Order]:
    """Return all comparisons, on each scale that a word belongs to."""
    for unit in units:
        others = [c for c in unit.children if units[c].case in {"than", "as"} or units[c].mark == "than"]
        above = unit if unit.pos == "ADJ" or unit.parent < 0 else units[unit.parent]
        subjects = [c for c in above.children if units[c].relation == "nsubj"]
        if unit.case == "than" and len(subjects) == 2:  # a parser's slip: "Ann is older | than Carl"
            others = others or subjects[1:]
        if not others or not subjects or unit.pos not in {"ADJ", "ADV"}:
            continue
        more, less = (any(units[c].lemma == word for c in unit.children) for word in ("more", "less"))
        same = units[others[0]].case == "as"
        if same or more or less or unit.text.endswith("er"):
            for scale, sign in _SCALES.get(_plain(unit), [(_plain(unit), 1)]):
                kind = scale if above is unit else f"{above.lemma} {scale}"
                for a, b in product(_joined(units, subjects[0]), _joined(units, others[0])):
                    yield kind, *((a, b) if (sign > 0) != less else (b, a)), 0 if same else 1


def _plain(unit: Unit) -> str:
    """Return an adjective without its ending, where the lemmatiser has left it."""
    stem = unit.lemma.removesuffix("er")
    return next((form for form in (stem, f"{stem}e", stem[:-1]) if form in _SCALES), unit.lemma)


def _joined(units: list[Unit], at: int) -> list[str]:
    both = [at, *(c for c in units[at].children if units[c].relation == "conj" and units[c].joined in {"and", ""})]
    return [units[k].lemma for k in both]


def _way(told: list[tuple[str, str, int]], first: str, other: str) -> _Way | None:
    """Return the way from one down to another, and whether any step goes down; None if there is none."""
    below: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for a, b, more in told:
        below[a].append((b, more))
        below[b] += [(a, 0)] if not more else []
    seen, open_ = {(first, 0)}, [([first], 0)]
    while open_:
        steps, down = open_.pop(0)
        if steps[-1] == other and len(steps) > 1:
            return steps, down
        for to, more in below[steps[-1]]:
            if (to, down | more) not in seen:
                seen.add((to, down | more))
                open_.append(([*steps, to], down | more))
    return None
