"""Dictionary forms of English words: what the treebank says, WordNet's exceptions, then rules checked against it."""

import gzip
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from kgreason.errors import StoreError
from kgreason.parse.sentence import Sentence

#: What may be an inflected form, by Penn Treebank tag: the kind of its lemma, and the endings to undo in this order.
_RULES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "NNS": ("noun", (("men", "man"), ("ies", "y"), ("ies", "ie"), ("es", "e"), ("es", ""), ("s", ""))),
    "VBZ": ("verb", (("ies", "y"), ("ies", "ie"), ("es", "e"), ("es", ""), ("s", ""))),
    "VBD": ("verb", (("ied", "y"), ("ed", "e"), ("ed", ""))),
    "VBN": ("verb", (("ied", "y"), ("ed", "e"), ("ed", ""))),
    "VBG": ("verb", (("ying", "ie"), ("ing", "e"), ("ing", ""))),
    "JJR": ("adj", (("ier", "y"), ("er", "e"), ("er", ""))),
    "JJS": ("adj", (("iest", "y"), ("est", "e"), ("est", ""))),
}
_RULES |= {"RBR": _RULES["JJR"], "RBS": _RULES["JJS"], "NNPS": _RULES["NNS"]}
#: Tags to try, in this order, where a parser gives no Penn tag.
_TAGS = {
    "NOUN": ("NNS",),
    "PROPN": (),
    "VERB": ("VBZ", "VBG", "VBD"),
    "AUX": ("VBZ", "VBG", "VBD"),
    "ADJ": ("JJR", "JJS"),
    "ADV": ("RBR", "RBS"),
}
_DOUBLED = re.compile(r"[a-z]*[^aeiou]?[aeiou]([bdgklmnprtvz])\1")
#: Stems that end so have lost an e: `hop|ing` from hope is decided by WordNet, `zill|ing` by this.
_WANTS_E = re.compile(r".*(?:[^aeiou][aeiouy](?:v|z|c|s|g)|[^aeiou]l|[aeiou]u|u|c|v|dg|ns|rs|at|[aeiou][aeiou][sv])")
_HISSES = re.compile(r".*(?:s|x|z|ch|sh|[^aeiou]o)")
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "–": "-"})
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
#: Only of these nouns is the plural ambiguous; of all others it is the noun and an s.
_AMBIGUOUS_PLURAL = re.compile(r"[a-z]+(?:se|xe|ze|che|she|oe|ie|s|x|z|ch|sh|o)")


@final
@dataclass(frozen=True, slots=True)
class Lemmatiser:
    r"""Finds the dictionary form of a word, given its tags.

    Args:
        exact: Tag and lower-case form to lemma, as `VBD\tran`; of the treebank and of WordNet's exception lists.
        known: Lemmas by kind (`noun`, `verb`, `adj`), against which rules are checked.
    """

    exact: dict[str, str]
    known: dict[str, frozenset[str]]

    def __call__(self, word: str, upos: str, xpos: str) -> str:
        """Return the lemma in lower case; the word itself if nothing is known about it.

        Args:
            word: As written.
            upos: Its universal part of speech.
            xpos: Its Penn Treebank tag; `""` if unknown.
        """
        low = word.lower().translate(_PLAIN)
        if xpos == "CD" or upos == "NUM":
            return self.exact.get(f"CD\t{low}") or _THOUSANDS.sub("", low)
        if xpos:
            return self.exact.get(f"{xpos}\t{low}") or self._undo(low, xpos) or low
        for tag in _TAGS.get(upos, ()):
            found = self.exact.get(f"{tag}\t{low}") or self._undo(low, tag, sure=True)
            if found:
                return found
        return self.exact.get(f"{upos}\t{low}", low)

    def _undo(self, low: str, tag: str, sure: bool = False) -> str:
        kind, rules = _RULES.get(tag, ("", ()))
        fits = [low[: -len(end)] + new for end, new in rules if low.endswith(end) and len(low) > len(end) + 1]
        known = self.known.get(kind, frozenset())
        undoubled = [stem[:-1] for stem in fits if _DOUBLED.fullmatch(stem)]
        for stem in [*fits, *undoubled]:
            if stem in known:
                return stem
        if sure and tag == "NNS" and low.isalpha() and low not in known and not low.endswith(("ss", "us", "is")):
            return _singular(low)
        if not fits or sure or not low.isalpha():
            return ""
        if kind == "noun" or tag == "VBZ":
            return _singular(low)
        if low.endswith(("ied", "ier", "iest")) or not fits[1:]:
            return fits[0]
        return undoubled[0] if undoubled and kind != "adj" else fits[-2] if _WANTS_E.fullmatch(fits[-1]) else fits[-1]


def _singular(low: str) -> str:
    if low.endswith("ies") and len(low) > 4:
        return low[:-3] + "y"
    if low.endswith("es") and _HISSES.fullmatch(low[:-2]) and not low.endswith(("ses", "zes", "ches")):
        return low[:-2]
    if low.endswith(("sses", "ches", "zzes")):
        return low[:-2]
    return low[:-1] if low.endswith("s") and not low.endswith("ss") else low


def learn(sentences: Iterable[Sentence], wordnet: Path) -> Lemmatiser:
    """Make a lemmatiser from a treebank's lemmas and WordNet's files (`*.exc`, `index.*`).

    Of the treebank only what the rules get wrong is kept: what was seen twice, and one tag's majority.
    """
    exact = {}
    for kind, tags in (
        ("noun", ("NNS", "NNPS")),
        ("verb", ("VBD", "VBN", "VBG", "VBZ")),
        ("adj", ("JJR", "JJS", "RBR", "RBS")),
    ):
        for form, lemma in _exceptions(wordnet / f"{kind}.exc"):
            exact.update({f"{tag}\t{form}": lemma for tag in tags if _may_be(form, tag)})
    known = {kind: frozenset(_lemmas(wordnet / f"index.{kind}", kind)) for kind in ("noun", "verb", "adj")}
    rules = Lemmatiser(exact, known)
    seen: dict[str, Counter[str]] = {}
    for sentence in sentences:
        for word, lemma, upos, xpos in zip(sentence.words, sentence.lemmas, sentence.upos, sentence.xpos, strict=True):
            for tag in {xpos, upos if upos in {"AUX", "PRON", "DET", "PART"} else xpos}:
                seen.setdefault(f"{tag}\t{word.lower().translate(_PLAIN)}", Counter())[lemma] += 1
    learnt = {}
    for key, lemmas in seen.items():
        ((lemma, count),) = lemmas.most_common(1)
        tag, _, low = key.partition("\t")
        if count >= 2 and lemma and rules(low, "X", tag) != lemma and re.fullmatch(r"['a-z]+", low):
            learnt[key] = lemma
    return Lemmatiser(exact | learnt, known)


def _may_be(form: str, tag: str) -> bool:
    """Keep an irregular form for the tags it can have: `-ing` is no past tense."""
    if tag == "VBG":
        return form.endswith("ing")
    if tag == "VBZ":
        return form.endswith("s")
    if tag in {"VBD", "VBN"}:
        return not form.endswith("ing")
    return True


def _exceptions(path: Path) -> Iterable[tuple[str, str]]:
    for line in _lines(path):
        form, lemma, *_ = line.split()
        if "_" not in form:
            yield form, lemma


def _lemmas(path: Path, kind: str) -> Iterable[str]:
    for line in _lines(path):
        lemma = line.split(" ", 1)[0]
        if not re.fullmatch(r"[a-z]+", lemma):
            continue
        if (
            (kind == "noun" and _AMBIGUOUS_PLURAL.fullmatch(lemma))
            or kind == "verb"
            or (kind == "adj" and len(lemma) <= 8)
        ):
            yield lemma


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise StoreError(
            f"{path} is missing. Name a folder with WordNet's files (Debian: apt-get install wordnet-base)."
        )
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != " "]


def dump(lemmatiser: Lemmatiser) -> bytes:
    """Return the bytes of a lemmatiser's file; the same lemmatiser always gives the same bytes."""
    lines = [f"{key}\t{lemma}" for key, lemma in sorted(lemmatiser.exact.items())]
    lines += [f"{kind}\t{lemma}" for kind, lemmas in sorted(lemmatiser.known.items()) for lemma in sorted(lemmas)]
    return gzip.compress("\n".join(lines).encode(), 9, mtime=0)


def load(data: bytes, where: str) -> Lemmatiser:
    """Read what `dump` wrote.

    Raises:
        StoreError: If the bytes are truncated or something else.
    """
    try:
        rows = [line.split("\t") for line in gzip.decompress(data).decode().split("\n")]
        exact = {f"{row[0]}\t{row[1]}": row[2] for row in rows if len(row) == 3}
        known = {
            kind: frozenset(r[1] for r in rows if len(r) == 2 and r[0] == kind) for kind in ("noun", "verb", "adj")
        }
    except (OSError, EOFError, UnicodeDecodeError, IndexError) as error:
        raise StoreError(
            f"{where} is not a lemma table: {error}. Reinstall kgreason, or train the parser again."
        ) from error
    return Lemmatiser(exact, known)
