"""Cut the words of a text into sentences."""

import re
from collections.abc import Sequence

#: A sentence of more words than this is cut, at a comma or semicolon if one is near. The longest of EWT has 159.
LONGEST_SENTENCE = 160

_END = re.compile(r"[.!?…。！？｡।؟]+")
_DOTS = re.compile(r"\.{2,}|…+")
_CLOSER = re.compile(r"[\"'”’»)\]}]+|''")
_FACE = re.compile(r">?[:;=]['’]?-?[)(DPp]+|<3|[\u2600-\u27bf\U0001F000-\U0001FAFF].*")
_OPENER = re.compile(r"[\"'“‘«(\[{*•·-]+|``")
#: Abbreviations that often end a sentence; then a word follows that begins one.
_LAST_ABBREVIATION = re.compile(r"(?i:etc|[ap]\.m|inc|ltd|corp|co|jr|sr|u\.s|u\.k|u\.n|ph\.d|d\.c|e?st|a\.d|b\.c)\.")
_STARTER = frozenset(
    "a all also although an and as at but by for from he her here his how however i if in it its just many most my no "  # noqa: SIM905
    "not now of on one or our she so some that the their then there these they this those to we what when where which "
    "who why with you your".split()
)
#: Wide marks that end a sentence with no space after them.
_WIDE_END = re.compile(r"[。！？｡]+")


def split(text: str, words: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the first word of each sentence and the one after its last.

    A sentence ends at an empty line; and after `.`, `!`, `?` or `…`, with the quotes, brackets and faces that close
    it, if white space and what may begin a sentence follow.

    Args:
        text: The text.
        words: The spans of its words, as `Tokeniser` gives them.

    >>> text = "It rained. We stayed in."
    >>> split(text, [(0, 2), (3, 9), (9, 10), (11, 13), (14, 20), (21, 23), (23, 24)])
    [(0, 3), (3, 7)]
    """
    found, first = [], 0
    for i in range(len(words)):
        if i + 1 == len(words) or _ends(text, words, i, first):
            found.extend(_cut(text, words, first, i + 1))
            first = i + 1
    return found


def _ends(text: str, words: Sequence[tuple[int, int]], i: int, first: int) -> bool:
    start, end = words[i]
    gap = text[end : words[i + 1][0]]
    if not gap:
        return bool(_WIDE_END.fullmatch(text, start, end))
    if gap.count("\n") > 1 and gap.replace("\r", "").count("\n") > 1:
        return True
    last = i
    while last > first and (_CLOSER.fullmatch(text, *words[last]) or _FACE.fullmatch(text, *words[last])):
        last -= 1
    mark = text[slice(*words[last])]
    following = text[slice(*words[i + 1])]
    if _END.fullmatch(mark):
        return last > first and _begins(text, words, i + 1, mark)
    if _FACE.fullmatch(text, start, end):
        return i > first and following[:1].isupper()
    return bool(last == i and _LAST_ABBREVIATION.fullmatch(mark) and _starts(following))


def _starts(word: str) -> bool:
    return word[:1].isupper() and word.lower() in _STARTER


def _begins(text: str, words: Sequence[tuple[int, int]], i: int, mark: str) -> bool:
    word = text[slice(*words[i])]
    while _OPENER.fullmatch(word) and i + 1 < len(words):
        i += 1
        word = text[slice(*words[i])]
    if _DOTS.fullmatch(mark):
        return word[:1].isupper()
    return not (_CLOSER.fullmatch(word) or _END.fullmatch(word) or _FACE.fullmatch(word))


def _cut(text: str, words: Sequence[tuple[int, int]], first: int, end: int) -> list[tuple[int, int]]:
    """Cut what is too long to be a sentence, after a comma or semicolon of its second half if there is one."""
    parts = []
    while end - first > LONGEST_SENTENCE:
        middle = first + LONGEST_SENTENCE // 2
        at = [
            j + 1
            for j in range(middle, first + LONGEST_SENTENCE)
            if text[slice(*words[j])] in {",", ";", ":", "—", "、", "،"}
        ]
        cut = at[-1] if at else first + LONGEST_SENTENCE
        parts.append((first, cut))
        first = cut
    return [*parts, (first, end)]
