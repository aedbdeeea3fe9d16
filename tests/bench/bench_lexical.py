"""How well the natural-logic relation of two words is told: on our own list, and on four public sets.

    python tests/bench/bench_lexical.py            # tables: held-out third of our list, test halves of the public sets
    python tests/bench/bench_lexical.py --dev      # the same on what the facts and the table were tuned on, with errors
    python tests/bench/bench_lexical.py --fit      # fit the table of log-odds on the development parts and print it
    python tests/bench/bench_lexical.py --speed
    python tests/bench/bench_lexical.py --ablate

Parts are cut by a hash of the pair, so that both directions of a pair are in one part.
"""

# ruff: noqa: T201

import argparse
import csv
import itertools
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy import ndarray
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict

from kgreason.data import UPOS, Entailment, KnowledgeGraph
from kgreason.data.perturbed import perturb_graph
from kgreason.ground.natural import NaturalRelations, Term
from kgreason.ground.sense_pairs import EVIDENCE
from kgreason.ground.verdict import FEATURES
from kgreason.knowledge import open_graph
from kgreason.parse import lemma
from kgreason.places import data_folder, shipped

OWN = shipped("datasets") / "lexical-relations.tsv"
WEIGHTS = Path(lemma.__file__).parent / "weights" / "english.safetensors"
NOUN, UNKNOWN = UPOS.id("NOUN"), -1
E = Entailment
#: What each relation of the public sets comes to. An antonym is one or the other of two relations.
PUBLIC = {
    "bless": {
        "coord": (E.ALTERNATION,),
        "hyper": (E.FORWARD,),
        "mero": (E.INDEPENDENCE,),
        "attri": (E.INDEPENDENCE,),
        "event": (E.INDEPENDENCE,),
        "random": (E.INDEPENDENCE,),
    },
    "root9": {"coord": (E.ALTERNATION,), "hyper": (E.FORWARD,), "random": (E.INDEPENDENCE,)},
    "knh": {
        "hypo": (E.FORWARD,),
        "sibl": (E.ALTERNATION,),
        "mero": (E.INDEPENDENCE,),
        "false": (E.INDEPENDENCE,),
    },
    "eval": {
        "IsA": (E.FORWARD,),
        "Antonym": (E.ALTERNATION, E.NEGATION),
        "Synonym": (E.EQUIVALENCE,),
        "HasA": (E.INDEPENDENCE,),
        "HasProperty": (E.INDEPENDENCE,),
        "MadeOf": (E.INDEPENDENCE,),
        "PartOf": (E.INDEPENDENCE,),
    },
}
#: Set by hand. What a graph states outright is believed (WordNet states nothing of the kind); a pair of which nothing
#: is known is left open, for lists of related words say nothing about those that are not.
STATED = {
    "negation": (-2, -2, -2, 6, 2, 0, -2),
    "apart": (-2, -2, -2, 0, 6, 0, -2),
    "no evidence": (0, 0, 0, 0, 0, 0, 0.8),
    "both are unknown": (0, 0.3, 0.3, 0, 0.5, 0, 0.5),
}
#: Added to the log-odds of independence: the list has few pairs of verbs, and hardly any of names, that go together.
LEFT_OPEN = {"verb": 0.9, "name": 2.3}


@dataclass(frozen=True, slots=True)
class Row:
    pair: tuple[Term, Term]
    gold: tuple[Entailment, ...]
    group: str


def part_of(first: str, second: str, parts: int) -> int:
    return zlib.crc32("\t".join(sorted((first, second))).encode()) % parts


@cache
def lemmatiser() -> lemma.Lemmatiser:
    return lemma.load(load_file(WEIGHTS)["lemmas"].tobytes(), str(WEIGHTS))


def own(held_out: bool) -> list[Row]:
    rows, lemmatise = [], lemmatiser()
    with OWN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if (part_of(row["first"], row["second"], 3) == 0) == held_out:
                pair = term(row["first"], row["pos"], lemmatise), term(row["second"], row["pos"], lemmatise)
                rows.append(Row(pair, (Entailment[row["relation"].upper()],), row["class"]))
    return rows


def term(text: str, pos: str, lemmatise: lemma.Lemmatiser) -> Term:
    words = text.lower().split()
    if pos == "VERB":
        words[0] = lemmatise(words[0], pos, "")
    else:
        words[-1] = lemmatise(words[-1], pos, "")
    return Term(text, " ".join(words), UPOS.id(pos))


def public(name: str, test: bool) -> list[Row]:
    rows, lemmatise = [], lemmatiser()
    with (data_folder() / "lexical" / "multi" / f"{name}.txt").open(encoding="utf-8") as file:
        next(file)
        for line in file:
            first, second, relation = line.rstrip("\n").split("\t")
            if (part_of(first, second, 2) == 1) == test:
                words = first.replace("_", " "), second.replace("_", " ")
                one, other = (Term(word, lemmatise(word, "NOUN", ""), UNKNOWN) for word in words)
                rows.append(Row((one, other), PUBLIC[name][relation], relation))
    return rows


def right(rows: Sequence[Row], told: ndarray) -> ndarray:
    return np.array([told[i] in row.gold for i, row in enumerate(rows)])


def report(title: str, rows: Sequence[Row], relations: NaturalRelations, errors: bool) -> None:
    given, reasons = relations.between([row.pair for row in rows])
    told = given.argmax(0)
    good = right(rows, told)
    print(f"\n## {title}: {len(rows)} pairs, {100 * good.mean():.1f} % right")
    by_relation(rows, told)
    groups = Counter(row.group for row in rows)
    for group in groups:
        at = np.array([row.group == group for row in rows])
        said = " ".join(f"{E(int(r)).symbol}{n}" for r, n in Counter(told[at].tolist()).most_common())
        print(f"{group:20} {at.sum():6} {100 * good[at].mean():6.1f} %   {said}")
    calibration(given.max(0), good)
    if errors:
        for row, g, ok, why in zip(rows, given.T, good, reasons, strict=True):
            if not ok:
                want = "".join(r.symbol for r in row.gold)
                print(f"  {row.group}: {row.pair[0].text} / {row.pair[1].text}: {want}; {why} ({g.max():.2f})")


def by_relation(rows: Sequence[Row], told: ndarray) -> None:
    gold = np.array([row.gold[0] for row in rows])
    said = np.array([g if t in row.gold else t for row, t, g in zip(rows, told, gold, strict=True)])
    for relation in E:
        hits = ((gold == relation) & (said == relation)).sum()
        p, r = hits / max((said == relation).sum(), 1), hits / max((gold == relation).sum(), 1)
        if (gold == relation).any():
            f = 2 * p * r / max(p + r, 1e-9)
            print(
                f"{relation.symbol}  {(gold == relation).sum():6}  P {100 * p:5.1f}  R {100 * r:5.1f}  F {100 * f:5.1f}"
            )


def calibration(sure: ndarray, good: ndarray) -> None:
    edges, total = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01], 0.0
    for low, high in itertools.pairwise(edges):
        at = (sure >= low) & (sure < high)
        if at.any():
            total += at.sum() * abs(sure[at].mean() - good[at].mean())
            said = f"said {sure[at].mean():.2f}, right {good[at].mean():.2f}"
            print(f"  sure {low:.2f}-{high:.2f}: {at.sum():5} pairs, {said}")
    print(f"  ECE {total / len(sure):.3f}")


def fit(relations: NaturalRelations) -> None:
    """Fit the table on the development parts: our list counts in full, the public sets at most 500 of each relation."""
    rows = [(row, 1.0) for row in own(held_out=False)]
    for name, meaning in PUBLIC.items():
        found = public(name, test=False)
        for relation in meaning:
            few = [row for row in found if row.group == relation][:500]
            rows += [(row, 0.25) for row in few]
    x, y, weight = [], [], []
    bare = NaturalRelations(relations.graphs[0], facts="none")  # what facts decide counts, too, as far as senses tell
    flip = {E.FORWARD: E.REVERSE, E.REVERSE: E.FORWARD}
    for way in (1, -1):
        pairs = [row.pair[::way] for row, _ in rows]
        kept = [(p, row, w) for p, (row, w) in zip(pairs, rows, strict=True) if not bare.decided(p)]
        matrix, _, _ = relations.features([p for p, _, _ in kept])
        for values, (pair, row, weight_of) in zip(matrix, kept, strict=True):
            if relations.decided(pair) and not values[: len(EVIDENCE)].any():
                continue
            w = weight_of * (0.5 if relations.decided(pair) else 1.0)
            for gold in row.gold:
                x.append(values)
                y.append(int(gold if way == 1 else flip.get(gold, gold)))
                share = (0.8 if gold == E.ALTERNATION else 0.2) if len(row.gold) > 1 else 1.0
                weight.append(w * share)
    model = LogisticRegression(C=4.0, fit_intercept=False, max_iter=3000)
    model.fit(np.array(x), np.array(y), sample_weight=np.array(weight))
    guess = cross_val_predict(
        model,
        x,
        y,
        cv=KFold(5, shuffle=True, random_state=0),
        method="predict_proba",
        params={"sample_weight": np.array(weight)},
    )
    column = np.searchsorted(model.classes_, y)
    loss = -np.average(np.log(guess[np.arange(len(y)), column]), weights=weight)
    print(f"# 5-fold: loss {loss:.4f}, right {np.average(guess.argmax(1) == column, weights=weight):.4f}")
    table = np.zeros((len(FEATURES), 7))
    table[:, model.classes_] = model.coef_.T
    table[-5:, E.COVER] = -6
    for name, odds in STATED.items():
        table[FEATURES.index(name)] = odds
    for name, more in LEFT_OPEN.items():
        table[FEATURES.index(name), E.INDEPENDENCE] += more
    print(f"# {len(x)} rows")
    for name, row in zip(FEATURES, table, strict=True):
        print(f'    "{name}": ({", ".join(f"{v:.1f}" for v in row)}),')


def speed(relations: NaturalRelations) -> None:
    rows = public("knh", test=False)
    pairs = list(dict.fromkeys(row.pair for row in rows))
    half = len(pairs) // 2
    relations.between(pairs[:half])
    relations.features(pairs[half:])  # senses are remembered now, relations are not
    start = time.process_time()
    relations.between(pairs[half:])
    first = time.process_time() - start
    start = time.process_time()
    relations.between(pairs[half:])
    print(f"{half / first:,.0f} new pairs/s, {half / (time.process_time() - start):,.0f} known pairs/s")


def ablate() -> None:
    """Print what share is right without the facts, without WordNet, and with WordNet's tails shuffled."""
    wordnet = open_graph("wordnet")
    empty = KnowledgeGraph.from_triples([("nothing", "is", "here")])
    shuffled = perturb_graph(wordnet, "tails", seed=0)
    variants = {
        "as it is": NaturalRelations(wordnet),
        "no facts about words": NaturalRelations(wordnet, facts="none"),
        "no WordNet": NaturalRelations(empty),
        "WordNet, tails shuffled": NaturalRelations(shuffled),
        "neither": NaturalRelations(empty, facts="none"),
    }
    sets = {"own list": own(held_out=True)} | {name: public(name, test=True) for name in PUBLIC}
    for title, relations in variants.items():
        told = {name: relations.between([row.pair for row in rows])[0].argmax(0) for name, rows in sets.items()}
        shares = {name: f"{100 * right(rows, told[name]).mean():.1f}" for name, rows in sets.items()}
        kinds = {name: f"{100 * macro_recall(rows, told[name]):.1f}" for name, rows in sets.items()}
        print(f"{title:24} right {shares}  macro recall {kinds}")


def macro_recall(rows: Sequence[Row], told: ndarray) -> float:
    good, gold = right(rows, told), np.array([row.gold[0] for row in rows])
    return float(np.mean([good[gold == relation].mean() for relation in set(gold.tolist())]))


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("dev", "fit", "speed", "ablate"):
        parser.add_argument(f"--{name}", action="store_true")
    asked = parser.parse_args()
    if asked.ablate:
        ablate()
        return
    relations = NaturalRelations(open_graph("wordnet"))
    actions: dict[str, Callable[[NaturalRelations], None]] = {"fit": fit, "speed": speed}
    for name, action in actions.items():
        if getattr(asked, name):
            action(relations)
            return
    report("own list", own(held_out=not asked.dev), relations, errors=asked.dev)
    for name in PUBLIC:
        report(name, public(name, test=not asked.dev), relations, errors=False)


if __name__ == "__main__":
    main()
