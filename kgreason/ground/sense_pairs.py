"""Compiled comparison of the senses of two words; `SenseGraph` says what it computes."""

from typing import no_type_check

import numpy as np
from numba import njit

from kgreason.ground.csr import joined, share

#: What a pair of senses can be evidence of; the columns of what `compare` fills in.
EVIDENCE = (
    "synonym",
    "forward",
    "reverse",
    "opposite",
    "far_opposite",
    "negation",
    "disjoint",
    "apart",
    "exclusive",
    "alike",
    "part",
    "related",
    "milder",
    "stronger",
    "beside",
    "attribute",
)
(
    _SYNONYM,
    _FORWARD,
    _REVERSE,
    _OPPOSITE,
    _FAR_OPPOSITE,
    _NEGATION,
    _DISJOINT,
    _APART,
    _EXCLUSIVE,
    _ALIKE,
    _PART,
    _RELATED,
    _MILDER,
    _STRONGER,
    _BESIDE,
    _ATTRIBUTE,
) = range(len(EVIDENCE))

_FADE = 0.05  # a step up makes it a little less sure that the path is the one that is meant
_SLOPE = 7.0  # log-odds of exclusion per unit of similarity
_MIDDLE = 0.75
_INHERIT = 2  # an opposite is inherited over so many steps: "sprint" from "run"
_FAR = 0.5  # what an indirect or inherited opposite is worth


@njit(cache=True)
@no_type_check
def _inherits(csr, taxonomy, a, b, far):
    """Whether something at most `far` steps above `a` is joined to something as near above `b`."""
    ptr, tail = csr
    up_ptr, up, steps = taxonomy[0], taxonomy[1], taxonomy[2]
    for i in range(up_ptr[a], up_ptr[a + 1]):
        if steps[i] <= far:
            for row in range(ptr[up[i]], ptr[up[i] + 1]):
                for j in range(up_ptr[b], up_ptr[b + 1]):
                    if up[j] == tail[row] and steps[j] <= far:
                        return True
    return False


@njit(cache=True)
@no_type_check
def _via_near(opposite, near, a, b):
    """Whether a neighbour of `a` is opposed to `b`, or to a neighbour of `b`."""
    ptr, tail = near
    for i in range(ptr[a], ptr[a + 1]):
        if joined(opposite, tail[i], b):
            return True
        for j in range(ptr[b], ptr[b + 1]):
            if joined(opposite, tail[i], tail[j]):
                return True
    for j in range(ptr[b], ptr[b + 1]):  # noqa: SIM110 (compiled)
        if joined(opposite, a, tail[j]):
            return True
    return False


@njit(cache=True)
@no_type_check
def _apart(marks, a, b):
    """The surest class of which `a` and `b` are different members, as a row of `a`; -1 if there is none."""
    ptr, group, member, sure = marks
    best = -1
    i, j = ptr[a], ptr[b]
    while i < ptr[a + 1] and j < ptr[b + 1]:
        if group[i] < group[j]:
            i += 1
        elif group[i] > group[j]:
            j += 1
        else:
            g, first, same = group[i], i, False
            end_i, end_j = i, j
            while end_i < ptr[a + 1] and group[end_i] == g:
                end_i += 1
            while end_j < ptr[b + 1] and group[end_j] == g:
                end_j += 1
            for x in range(i, end_i):
                for y in range(j, end_j):
                    same |= member[x] == member[y]
            if not same and (best < 0 or sure[g] > sure[group[best]]):
                best = first
            i, j = end_i, end_j
    return best


@njit(cache=True)
@no_type_check
def _meet(taxonomy, a, b):
    """The most telling concept above both and the steps to it from each; (-1, 0, 0) if there is none."""
    up_ptr, up, steps, content = taxonomy[0], taxonomy[1], taxonomy[2], taxonomy[3]
    i, j, where, da, db = up_ptr[a], up_ptr[b], -1, 0, 0
    while i < up_ptr[a + 1] and j < up_ptr[b + 1]:
        if up[i] < up[j]:
            i += 1
        elif up[i] > up[j]:
            j += 1
        else:
            if where < 0 or content[up[i]] > content[where]:
                where, da, db = up[i], steps[i], steps[j]
            i += 1
            j += 1
    return where, da, db


@njit(cache=True)
@no_type_check
def _part_of(part, taxonomy, a, b):
    """How near `a`, or what it is, comes to be a part of `b`, or of what that is: 1 if directly, 0 if it is none."""
    ptr, tail = part
    up_ptr, up, steps = taxonomy[0], taxonomy[1], taxonomy[2]
    best = 0.0
    for i in range(up_ptr[a], up_ptr[a + 1]):
        if steps[i] <= _INHERIT:
            for row in range(ptr[up[i]], ptr[up[i] + 1]):
                for j in range(up_ptr[b], up_ptr[b + 1]):
                    if up[j] == tail[row]:
                        best = max(best, 1.0 / (1 + steps[i] + steps[j]))
    return best


@njit(cache=True)
@no_type_check
def _raise(out, who, kind, much, witness):
    if much > out[kind]:
        out[kind] = much
        who[kind] = witness


@njit(cache=True)
@no_type_check
def _in_taxonomy(a, b, w, taxonomy, marks, out, who):
    """Above, below, or beside each other, and how far that excludes."""
    where, da, db = _meet(taxonomy, a, b)
    if where < 0:
        return
    content, kind = taxonomy[3], taxonomy[4]
    if db == 0:
        _raise(out, who, _FORWARD, w / (1 + _FADE * (da - 1)), da)
        return
    if da == 0:
        _raise(out, who, _REVERSE, w / (1 + _FADE * (db - 1)), db)
        return
    lin = 2.0 * content[where] / max(content[a] + content[b], 1e-6)
    _raise(out, who, _ALIKE, w * lin, where)
    odds = kind[where] + _SLOPE * (lin - _MIDDLE)
    _raise(out, who, _EXCLUSIVE, w / (1 + np.exp(-odds)), where)


@njit(cache=True)
@no_type_check
def _by_links(a, b, w, taxonomy, links, satellite, out, who):
    opposite, near, negation, apart, part, related, attribute = links
    if joined(opposite, a, b):
        _raise(out, who, _OPPOSITE, w, a)
    elif _via_near(opposite, near, a, b) or _inherits(opposite, taxonomy, a, b, _INHERIT):
        _raise(out, who, _FAR_OPPOSITE, w, a)
    if _inherits(negation, taxonomy, a, b, 0):
        _raise(out, who, _NEGATION, w, a)
    elif _inherits(negation, taxonomy, a, b, 99) or _inherits(apart, taxonomy, a, b, 99):
        _raise(out, who, _APART, w, a)
    _raise(out, who, _PART, w * max(_part_of(part, taxonomy, a, b), _part_of(part, taxonomy, b, a)), a)
    if joined(related, a, b):
        _raise(out, who, _RELATED, w, a)
    if joined(near, a, b):
        _raise(out, who, _STRONGER if satellite[a] and not satellite[b] else _MILDER, w, a)
    elif share(near, a, b):
        _raise(out, who, _BESIDE, w, a)
    elif share(attribute, a, b):
        _raise(out, who, _ATTRIBUTE, w, a)


@njit(cache=True)
@no_type_check
def compare(senses, pairs, taxonomy, marks, links, satellite, out, witness):
    """Fill `out` with the best evidence of each kind over all pairs of senses, and `witness` with what shows it."""
    ptr, entity, weight = senses
    for p in range(len(out)):
        left, right = pairs[0][p], pairs[1][p]
        for i in range(ptr[left], ptr[left + 1]):
            for j in range(ptr[right], ptr[right + 1]):
                a, b, w = entity[i], entity[j], weight[i] * weight[j]
                if a == b or joined(links[0], a, b):
                    _raise(out[p], witness[p], _SYNONYM, w, a)
                    continue
                _in_taxonomy(a, b, w, taxonomy, marks, out[p], witness[p])
                _by_links(a, b, w, taxonomy, links[1:], satellite, out[p], witness[p])
                row = _apart(marks, a, b)
                if row >= 0:
                    sure = marks[3][marks[1][row]]
                    _raise(out[p], witness[p], _DISJOINT, w * sure, -2 - marks[1][row])
