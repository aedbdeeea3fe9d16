"""Words for kin: which relation of two people a word names, and what it says of the gender of the one it names."""

from functools import lru_cache
from typing import NamedTuple


class Kin(NamedTuple):
    """What a word for kin says.

    Args:
        kind: The relation without gender: `parent`, `child`, `sibling`, `spouse` and so on.
        gender: Of the one who is named so: `m`, `f`, or empty if the word leaves it open.
    """

    kind: str
    gender: str


#: Relation of the graph `kinship` to what it says.
RELATIONS: dict[str, Kin] = {
    name: Kin(kind, gender)
    for kind, both in {
        "parent": ("father", "mother"),
        "child": ("son", "daughter"),
        "sibling": ("brother", "sister"),
        "spouse": ("husband", "wife"),
        "grandparent": ("grandfather", "grandmother"),
        "grandchild": ("grandson", "granddaughter"),
        "pibling": ("uncle", "aunt"),
        "nibling": ("nephew", "niece"),
    }.items()
    for name, gender in zip(both, "mf", strict=True)
}
#: And back.
NAMES: dict[Kin, str] = {kin: name for name, kin in RELATIONS.items()}
#: And to its number among the relations that a text may state between two people; 0 is none.
NUMBER = {kin: number for number, kin in enumerate(NAMES, start=1)}
INVERSE = {
    "parent": "child",
    "child": "parent",
    "sibling": "sibling",
    "spouse": "spouse",
    "grandparent": "grandchild",
    "grandchild": "grandparent",
    "pibling": "nibling",
    "nibling": "pibling",
}
#: Married, wed, couple: it joins two people, and neither is named by it.
MARRIED = Kin("spouse", "")
_MARRIED = frozenset({"married", "couple", "anniversary", "honeymoon", "newlyweds"})
_SAME = {
    "father": "dad daddy papa pa pop",
    "mother": "mom mommy mum mama mummy momma ma",
    "husband": "hubby groom",
    "wife": "bride",
    "grandfather": "grandpa granddad grandad gramps",
    "grandmother": "grandma granny nana gram grandmom",
    "aunt": "auntie aunty",
    "brother": "bro",
    "sister": "sis",
    "daughter": "girl",
    "son": "boy",
}
_OPEN = {
    "parent": "parent",
    "child": "child kid baby newborn toddler children kids",
    "sibling": "sibling twin",
    "spouse": "spouse",
    "grandparent": "grandparent",
    "grandchild": "grandchild grandkid grandbaby",
}
_WORDS: dict[str, Kin] = (
    RELATIONS
    | {word: RELATIONS[name] for name, words in _SAME.items() for word in words.split()}
    | {word: Kin(kind, "") for kind, words in _OPEN.items() for word in words.split()}
)
#: Words near to one for kin that are something else.
_OTHER = frozenset(
    {"another", "mouther", "monster", "further", "farther", "rather", "gather", "leather", "feather", "whether"}
    | {"together", "lather", "bother", "brothel", "broth", "broken", "system", "resister", "master", "nether"}
    | {"neither", "either", "weather"}
)
_LONG = tuple(name for name in RELATIONS if len(name) >= 6)
_NOUNS = frozenset({"NOUN", "PROPN", "X", "ADJ", ""})


@lru_cache
def words_for(kin: Kin) -> tuple[str, ...]:
    """Return the words for someone of that kind and gender, the usual one first; none if there are none.

    >>> words_for(Kin("parent", "f"))[:3]
    ('mother', 'mom', 'mommy')
    """
    return tuple(word for word, said in _WORDS.items() if said == kin and not word.endswith(("ren", "kids")))


def kin_of(words: tuple[str, ...], lemmas: tuple[str, ...], pos: str, at: int) -> Kin | None:
    """Return what the word at a position says, or None if it is no word for kin.

    `grand` before it counts ("grand daughter"), and so does a word of six letters or more that is one letter away
    ("grandaughter", "duaghter"; two in a word of eight).

    >>> kin_of(("her", "Grandaughter"), ("her", "grandaughter"), "NOUN", 1)
    Kin(kind='grandchild', gender='f')
    """
    word = words[at].lower()
    if word in _MARRIED or lemmas[at] in ("marry", "wed"):
        return MARRIED
    before = tuple(w.lower() for w in words[max(0, at - 2) : at])
    for form in (lemmas[at], word, word.rstrip("s")):
        if form in _WORDS:
            split = before[-1:] == ("grand",) or before == ("grand", "-")
            return _WORDS.get(f"grand{form}", _WORDS[form]) if split else _WORDS[form]
    return _misspelt(word) if pos in _NOUNS else None


@lru_cache(4096)
def _misspelt(word: str) -> Kin | None:
    if len(word) < 6 or not word.isalpha() or word in _OTHER:
        return None
    near = next((name for name in _LONG if _edits(word, name) <= (1 if len(name) < 8 else 2)), None)
    return None if near is None else RELATIONS[near]


def _edits(a: str, b: str) -> int:
    """Return how many letters must be put in, taken out, exchanged or swapped with the next one."""
    if abs(len(a) - len(b)) > 2:
        return 3
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
