"""Measure a parser on a treebank, with the treebank's words or with its own."""

from collections.abc import Iterable, Sequence

from kgreason.data import UPOS
from kgreason.parse.conllu import Entry, raw_documents
from kgreason.parse.dependency import DependencyParser
from kgreason.parse.sentence import Sentence, relation_id

#: What is counted of a pair of aligned words, given the predicted and the gold word.
METRICS = ("UPOS", "XPOS", "lemma", "UAS", "LAS")


def score_gold_words(parser: DependencyParser, entries: Sequence[Entry]) -> dict[str, float]:
    """Return the accuracy of tags, lemmas, governors (UAS) and governors with main relation (LAS), given the words.

    Punctuation counts, as in the CoNLL 2018 shared task. Lemmas are compared in lower case.
    """
    parsed = parser.parse_words([entry.sentence.words for entry in entries])
    right = dict.fromkeys(METRICS, 0)
    words = 0
    for entry, sentence in zip(entries, parsed, strict=True):
        for w in range(len(sentence)):
            words += 1
            for name, same in _same(sentence, w, entry.sentence, w, sentence.governors[w]).items():
                right[name] += same
    return {name: count / max(words, 1) for name, count in right.items()}


def score_raw_text(parser: DependencyParser, entries: Iterable[Entry]) -> dict[str, float]:
    """Return F1 scores on running text: of words, sentences, tags, lemmas, UAS and LAS.

    Words are aligned by their characters; a score counts aligned words that are right, against all words of both
    sides, as in the CoNLL 2018 shared task (a contraction's words are aligned by their own characters).
    """
    documents = list(raw_documents(entries))
    parses = parser.parse_texts([text for text, _, _ in documents])
    counts = dict.fromkeys(("words", "sentences", *METRICS), 0)
    gold_words = found_words = gold_sentences = found_sentences = 0
    for text, members, starts in documents:
        gold = _laid_out((entry.sentence, start) for entry, start in zip(members, starts, strict=True))
        found = _laid_out((sentence, 0) for sentence in parses[text])
        gold_words += len(gold)
        found_words += len(found)
        gold_sentences += len(members)
        found_sentences += len(parses[text])
        ends = {_outer(entry.sentence, start) for entry, start in zip(members, starts, strict=True)}
        counts["sentences"] += sum(_outer(sentence, 0) in ends for sentence in parses[text])
        for name, value in _compare(gold, found).items():
            counts[name] += value
    totals = dict.fromkeys(counts, gold_words + found_words) | {"sentences": gold_sentences + found_sentences}
    return {name: 2 * count / max(totals[name], 1) for name, count in counts.items()}


#: Where a word stands, to its sentence and place: several words of a contraction may share a span.
_Words = dict[tuple[int, int, int], tuple[Sentence, int, int]]


def _laid_out(sentences: Iterable[tuple[Sentence, int]]) -> _Words:
    words: _Words = {}
    for sentence, start in sentences:
        for w, (a, b) in enumerate(sentence.spans.tolist()):
            n = 0
            while (a + start, b + start, n) in words:
                n += 1
            words[a + start, b + start, n] = (sentence, w, start)
    return words


def _outer(sentence: Sentence, start: int) -> tuple[int, int]:
    return int(sentence.spans[0, 0]) + start, int(sentence.spans[-1, 1]) + start


def _compare(gold: _Words, found: _Words) -> dict[str, int]:
    where = {(id(s), w): key for key, (s, w, _) in found.items()}
    counts = dict.fromkeys(("words", *METRICS), 0)
    for key, (gold_sentence, g, _) in gold.items():
        if key not in found:
            continue
        sentence, w, _ = found[key]
        governor = sentence.governors[w]
        if governor:  # its place among the gold words, or -1 if it is no gold word of this sentence
            hit = gold.get(where[id(sentence), governor - 1])
            governor = hit[1] + 1 if hit and hit[0] is gold_sentence else -1
        counts["words"] += 1
        for name, same in _same(sentence, w, gold_sentence, g, governor).items():
            counts[name] += same
    return counts


def _same(found: Sentence, w: int, gold: Sentence, g: int, governor: int) -> dict[str, bool]:
    """Compare word `w` of one sentence with word `g` of the other; `governor` is the predicted one's place in gold."""
    arc = governor == gold.governors[g]
    relation = relation_id(found.relations[w]) == relation_id(gold.relations[g])
    return {
        "UPOS": found.upos[w] == gold.upos[g] or gold.upos[g] not in UPOS,
        "XPOS": found.xpos[w] == gold.xpos[g],
        "lemma": found.lemmas[w] == gold.lemmas[g],
        "UAS": arc,
        "LAS": arc and relation,
    }
