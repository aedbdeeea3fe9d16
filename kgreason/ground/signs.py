"""What speaks for and against a statement: that the kin a word names is one person's, and that it is another person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

from kgreason.ground.antecedents import PRONOUNS, Signs, antecedents
from kgreason.ground.genders import genders
from kgreason.ground.kinwords import MARRIED, Kin
from kgreason.ground.told import Told

_POSSESSIVE = ("his", "her", "their", "my")


class Candidate(NamedTuple):
    """The word at `word` may say that `tail` is the `kin` of `head`.

    Args:
        word: Where it stands.
        kin: What it says.
        head, tail: The two people.
        signs: What can be seen of it, by name.
    """

    word: int
    kin: Kin
    head: str
    tail: str
    signs: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Scene:
    """A story, and what was made out about its people."""

    told: Told
    female: Mapping[str, float]
    means: Mapping[int, Signs]

    @classmethod
    def of(cls, told: Told, female: Mapping[str, float] | None = None) -> "Scene":
        """Make out genders and antecedents."""
        sure = genders(told) if female is None else female
        return cls(told, sure, antecedents(told, sure))


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Yield every statement that could be meant: each word for kin, and any two people named near it.

    Near: in its sentence, in the one before or in the one after.
    """
    told = scene.told
    for word, kin in told.kin:
        near = [
            name
            for name in told.names
            if any(abs(told.sentence[place] - told.sentence[word]) <= 1 for place in told.places(name))
        ]
        seen = {name: _role(scene, word, name) for name in near} if len(near) > 1 else {}
        for head in seen:
            for tail in seen:
                if head != tail:
                    yield Candidate(word, kin, head, tail, _signs(scene, (word, kin), tail, seen[head], seen[tail]))


class _Role(NamedTuple):
    """How someone stands to a word for kin; `way` is the shortest way between them, or else where she is named."""

    signs: tuple[str, ...]
    way: str
    side: str
    owner: tuple[str, ...]


def _signs(scene: Scene, said: tuple[int, Kin], tail: str, of: _Role, who: _Role) -> tuple[str, ...]:
    told, (word, kin) = scene.told, said
    plural = told.words[word].lower().endswith("s") and told.words[word].lower() != told.lemmas[word]
    out = [f"O:{sign}" for sign in of.signs] + [f"F:{sign}" for sign in who.signs]
    out += [f"C:{of.way}&{who.way}", f"S:{of.side}&{who.side}", f"many{plural}", f"kind{kin.kind}"]
    out += [f"P:{sign}&{who.way}" for sign in of.owner]
    out.append(f"A:{_agreement(scene.female[tail], kin.gender)}")
    if plural:
        out.append(f"M:{of.way}&{who.way}")
    if kin == MARRIED:
        out = [f"married:{sign}" for sign in [*out, "married"]]
    return tuple(out)


def _role(scene: Scene, word: int, name: str) -> _Role:
    told = scene.told
    places = told.places(name)
    apart = min((abs(told.sentence[m] - told.sentence[word]), told.sentence[m] - told.sentence[word]) for m in places)[
        1
    ]
    near = min(places, key=lambda place: abs(place - word))
    low, high = sorted((near, word))
    between = range(low + 1, high)
    others = len({told.who[i] for i in between if told.who[i] and told.who[i] != name})
    kin = sum(low < at < high and said != MARRIED for at, said in told.kin)
    side = f"{'+' if near > word else '-'}m{min(others, 3)}k{min(kin, 3)}s{abs(apart)}"
    out = [f"sentence{max(-2, min(2, apart))}", f"far{_bucket(near - word)}", f"side{side}"]
    if len(between) <= 3:
        said = " ".join("_" if told.who[i] else told.words[i].lower() for i in between)
        out.append(f"between{'>' if near > word else '<'}{said}")
    ways = [_way(told, word, place) for place in places if told.sentence[place] == told.sentence[word]]
    out += [f"path{way}" for way in ways]
    owner = _owner(scene, word, name, places)
    owned = [sign for sign in owner if sign.startswith("pronoun")]
    has = any(told.relation[c] == "nmod" and told.words[c].lower() in PRONOUNS for c in told.children.get(word, ()))
    out += ["owned" if has else "free", *owner]
    return _Role(tuple(out), min(ways, key=len) if ways else f"side{side}", side, tuple(owned))


def _way(told: Told, word: int, place: int) -> str:
    case = "/".join(told.words[c].lower() for c in told.children.get(place, ()) if told.relation[c] == "case")
    return f"{told.path(word, place)}|{case}"


def _owner(scene: Scene, word: int, name: str, places: Sequence[int]) -> list[str]:
    """Return what the pronoun that owns the kin (*her* sister) says of someone."""
    told = scene.told
    at = _possessor(told, word)
    if at < 0:
        return ["nobody"]
    gender, sentence = PRONOUNS[told.words[at].lower()], told.sentence[at]
    before = list(dict.fromkeys(n for place, n in reversed(told.mentions) if place < at))
    inside = list(dict.fromkeys(n for place, n in told.mentions if place < at and told.sentence[place] == sentence))
    rank = min(before.index(name), 4) if name in before else 4
    out = [
        f"pronoun{gender if gender in 'p1' else 's'}rank{rank}",
        f"pronounfirst{inside.index(name) if name in inside else 'no'}of{len(inside)}",
    ]
    for place in places:
        if place < at and told.sentence[place] == sentence:
            out += [f"pronounpath{told.path(at, place, 8)}", "subject" if told.relation[place] == "nsubj" else "other"]
    if not inside:
        last = [place for place, _ in told.mentions if told.sentence[place] == sentence - 1]
        names = list(dict.fromkeys(told.who[place] for place in last))
        out.append(f"last{names.index(name) if name in names else 'no'}of{len(names)}")
        out += [f"lastrel{told.relation[place]}" for place in last if told.who[place] == name]
    means = sorted(scene.means.get(at, {}).get(name, ()))
    out += [f"ant{sign}" for sign in means] + [f"ants{'/'.join(means)}"]
    return [*out, f"agrees{_agreement(scene.female[name], gender)}"]


def _possessor(told: Told, word: int) -> int:
    """Return the pronoun that hangs on a word for kin, or stands within four words before it; -1 for none."""
    own = [c for c in told.children.get(word, ()) if c < word and told.words[c].lower() in PRONOUNS]
    if own:
        return own[-1]
    near = [
        i
        for i in range(max(0, word - 4), word)
        if told.words[i].lower() in _POSSESSIVE and told.sentence[i] == told.sentence[word]
    ]
    return near[-1] if near else -1


def _agreement(female: float, gender: str) -> str:
    """Return in five steps how well someone fits a gender; `any` where it asks for none."""
    if gender not in ("m", "f"):
        return "any"
    return str(int(min(female if gender == "f" else 1 - female, 0.999) * 5))


def _bucket(steps: int) -> str:
    size = abs(steps)
    shown = str(size) if size <= 4 else "5-7" if size <= 7 else "8-12" if size <= 12 else "13+"
    return f"{'-' if steps < 0 else '+'}{shown}"
