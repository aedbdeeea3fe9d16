"""A trie over the words of labels, and all its matches in a text, compiled.

The trie is one hash table: slot of `(node, unit)` holds the child. A unit is a run of letters and digits, or one other
character; its id is its row in a dictionary. Every table here is a plain array, so that a million labels cost
seconds to build and some tens of bytes each. What the words of a text are is looked up in such a table too, by their
hashes: a dictionary of strings reads three distant places for every word, and takes four times as long.
"""

from typing import no_type_check

import numpy as np
from numba import njit

STATES = 32
"""The most ways in which one start may be read at a time (each word as written or by its lemma)."""

MISSING = np.iinfo(np.int32).min
"""What `recall` returns for a hash that the table does not have."""

_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: neighbouring keys land far apart


@njit(cache=True)
@no_type_check
def _slot(keys, key):
    """The slot that holds `key`, or the empty one where it belongs."""
    mask = np.uint64(len(keys) - 1)
    mixed = np.uint64(key) * _SPREAD
    at = (mixed ^ (mixed >> np.uint64(32))) & mask
    while keys[at] != key and keys[at] != -1:
        at = (at + np.uint64(1)) & mask
    return at


@njit(cache=True)
@no_type_check
def step(keys, child, node, unit):
    """The child of `node` along `unit`, or -1."""
    if unit < 0:
        return -1
    key = (np.int64(node) << 32) | np.int64(unit)
    at = _slot(keys, key)
    return child[at] if keys[at] == key else -1


@njit(cache=True)
@no_type_check
def recall(keys, values, hashed):
    """What was noted of each hash, or `MISSING`."""
    out = np.empty(len(hashed), np.int64)
    for i in range(len(hashed)):
        at = _slot(keys, hashed[i])
        out[i] = values[at] if keys[at] == hashed[i] else MISSING
    return out


@njit(cache=True)
@no_type_check
def note(keys, values, hashed, given):
    """Note a value of each hash; -1 is none. Returns how many are new."""
    new = 0
    for i in range(len(hashed)):
        at = _slot(keys, hashed[i])
        new += keys[at] == -1
        keys[at], values[at] = hashed[i], given[i]
    return new


@njit(cache=True)
@no_type_check
def chain_hash(before, word):
    """The hash of a sequence from the hash of all but its last member, and that of the last."""
    mixed = (np.uint64(before) ^ np.uint64(word)) * _SPREAD
    return np.int64(mixed ^ (mixed >> np.uint64(29)))


@njit(cache=True)
@no_type_check
def build(unit, hashed, ptr, keys, child, first, chain, exact):
    """Insert label after label; return the number of nodes.

    Args:
        unit: The unit ids of all labels, end to end.
        hashed: A hash of each unit as it is written.
        ptr: Label `l` has the units `ptr[l] : ptr[l + 1]`; one without units is passed over.
        keys: The table, a power of two of `-1`; filled here, as all that follow.
        child: What the key leads to.
        first: Of each node the last label that ends there, or `-1`.
        chain: Of each label the next that ends at the same node, or `-1`.
        exact: Of each label the hash of its units as they are written.
    """
    nodes = 1
    for label in range(len(ptr) - 1):
        node, written = 0, np.int64(0)
        for k in range(ptr[label], ptr[label + 1]):
            key = (np.int64(node) << 32) | np.int64(unit[k])
            at = _slot(keys, key)
            if keys[at] == -1:
                keys[at], child[at] = key, nodes
                nodes += 1
            node = child[at]
            written = chain_hash(written, hashed[k])
        exact[label] = written
        if node:
            chain[label], first[node] = first[node], label
    return nodes


@njit(cache=True)
@no_type_check
def _advance(table, words, at, states):
    """Read one word from every state, as written and, where that differs, in its other form."""
    keys, child = table
    unit, hashed, ptr = words
    old_nodes, old_hashes, old, new_nodes, new_hashes = states
    new = 0
    for s in range(old):
        for form in range(2):
            begin, end = ptr[2 * at + form], ptr[2 * at + form + 1]
            node, written = old_nodes[s], old_hashes[s]
            for k in range(begin, end):
                node = step(keys, child, node, unit[k])
                if node < 0:
                    break
                written = chain_hash(written, hashed[k])
            if begin < end and node > 0 and new < len(new_nodes):
                new_nodes[new], new_hashes[new] = node, written
                new += 1
    return new


@njit(cache=True)
@no_type_check
def _longest(table, first, words, segment, start, states):
    """The end of the longest match that starts at `start`, and the states there; (-1, 0) if there is none."""
    nodes, hashes, new_nodes, new_hashes, found_nodes, found_hashes = states
    nodes[0], hashes[0], alive = 0, 0, 1
    end, found, at = -1, 0, start
    while alive and at < len(segment) and segment[at] == segment[start]:
        alive = _advance(table, words, at, (nodes, hashes, alive, new_nodes, new_hashes))
        ends = 0
        for s in range(alive):
            nodes[s], hashes[s] = new_nodes[s], new_hashes[s]
            if first[nodes[s]] >= 0:
                if ends == 0:
                    end, found = at, 0
                found_nodes[found], found_hashes[found] = nodes[s], hashes[s]
                found += 1
                ends += 1
        at += 1
    return end, found


@njit(cache=True)
@no_type_check
def match(table, leaves, words, segment):
    """All leftmost, longest, non-overlapping matches.

    Args:
        table: `(keys, child)`.
        leaves: `(first, chain, exact)`.
        words: `(unit, hashed, ptr)`: word `i` as written has the units `ptr[2 i] : ptr[2 i + 1]`, and in its other form
            `ptr[2 i + 1] : ptr[2 i + 2]`, which is empty if there is none.
        segment: A number per word; no match runs over a change of it.

    Returns:
        Rows `(first word, last word, label, whether it is written so)`, several rows for one match if several labels
        read alike.
    """
    first, chain, exact = leaves
    states = (
        np.empty(STATES, np.int32),
        np.empty(STATES, np.int64),
        np.empty(STATES, np.int32),
        np.empty(STATES, np.int64),
        np.empty(STATES, np.int32),
        np.empty(STATES, np.int64),
    )
    rows, count = np.empty((max(16, len(segment)), 4), np.int32), 0
    start = 0
    while start < len(segment):
        end, found = _longest(table, first, words, segment, start, states)
        for s in range(found):
            label = first[states[4][s]]
            while label >= 0:
                if count == len(rows):
                    rows = np.concatenate((rows, np.empty_like(rows)))
                rows[count, 0], rows[count, 1], rows[count, 2] = start, end, label
                rows[count, 3] = exact[label] == states[5][s]
                count += 1
                label = chain[label]
        start = end + 1 if found else start + 1
    return rows[:count]


@njit(cache=True)
@no_type_check
def match_every(table, leaves, words, segment):
    """All matches, overlapping ones too: from every word, and to every end. Arguments and result are those of `match`.

    Rows stand in the order of their first word, then of their last.
    """
    first, chain, exact = leaves
    nodes, hashes = np.empty(STATES, np.int32), np.empty(STATES, np.int64)
    new_nodes, new_hashes = np.empty(STATES, np.int32), np.empty(STATES, np.int64)
    rows, count = np.empty((max(16, len(segment)), 4), np.int32), 0
    for start in range(len(segment)):
        nodes[0], hashes[0], alive, at = 0, 0, 1, start
        while alive and at < len(segment) and segment[at] == segment[start]:
            alive = _advance(table, words, at, (nodes, hashes, alive, new_nodes, new_hashes))
            for s in range(alive):
                nodes[s], hashes[s] = new_nodes[s], new_hashes[s]
                label = first[nodes[s]]
                while label >= 0:
                    if count == len(rows):
                        rows = np.concatenate((rows, np.empty_like(rows)))
                    rows[count, 0], rows[count, 1], rows[count, 2] = start, at, label
                    rows[count, 3] = exact[label] == hashes[s]
                    count += 1
                    label = chain[label]
            at += 1
    return rows[:count]
