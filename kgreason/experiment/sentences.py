"""Long texts cut into pairs of sentences, and what is said of the pairs put together again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from kgreason.data import Cycle, Look, Prediction
from kgreason.errors import DataError
from kgreason.parse.split import split
from kgreason.parse.tokenise import Tokeniser

#: A premise of at most so many words is also read as a whole; of a longer one, each sentence is tried by itself.
_WHOLE = 60
#: Of a long premise so many sentences are tried, those that share the most words with the hypothesis.
_TRIED = 24
#: A hypothesis of more sentences than this is no statement to be proved.
_MOST = 12
_UNIVERSAL = frozenset({"no", "all", "every", "each", "nobody", "everybody", "nothing", "everything", "none"})
_WORD = re.compile(r"\w+")


@final
@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a text, and where in it it begins."""

    text: str
    start: int

    @property
    def words(self) -> frozenset[str]:
        """Its words of more than three letters, in lower case; all its words if there are none."""
        found = {word.lower() for word in _WORD.findall(self.text)}
        return frozenset({word for word in found if len(word) > 3} or found)


@final
@dataclass(frozen=True, slots=True)
class Attempt:
    """A hypothesis' sentence and what of the premise is tried to prove it with."""

    premise: Sentence
    hypothesis: Sentence

    @property
    def shared(self) -> float:
        """The share of the hypothesis' words that the premise has, too."""
        wanted = self.hypothesis.words
        return len(wanted & self.premise.words) / max(1, len(wanted))


def attempts(premise: str, hypothesis: str) -> list[list[Attempt]]:
    """Return, for each sentence of a hypothesis, what to try; a pair of sentences is one attempt.

    Raises:
        DataError: If the hypothesis is no statement, but a text.
    """
    wanted, given = sentences(hypothesis), sentences(premise)
    if len(wanted) > _MOST:
        raise DataError(
            f"The hypothesis has {len(wanted)} sentences, or is too long for one; a proof needs a statement of at most "
            f"{_MOST}. Give one statement at a time."
        )
    whole = [Sentence(premise, 0)] if len(given) == 1 or len(_WORD.findall(premise)) <= _WHOLE else []
    found = []
    for statement in wanted:
        parts = [] if len(given) == 1 else sorted((Attempt(s, statement) for s in given), key=lambda a: -a.shared)
        found.append([*(Attempt(s, statement) for s in whole), *parts[:_TRIED]])
    return found


def sentences(text: str) -> list[Sentence]:
    """Cut a text into its sentences; one that is too long for a parser is cut once more."""
    words = Tokeniser()(text)
    spans = [(words[first][0], words[last - 1][1]) for first, last in split(text, words)]
    return [Sentence(text[start:end], start) for start, end in spans] or [Sentence(text, 0)]


def best(tried: Sequence[tuple[Attempt, Prediction]]) -> tuple[Attempt, Prediction]:
    """Return the attempt that counts: the surest that decides it; else the one that speaks of the same things.

    What does not speak of the hypothesis cannot contradict it, however different it is; what speaks of everything or of
    nothing at all does.
    """
    decide = [pair for pair in tried if pair[1].answer == "entailment"]
    decide = decide or [pair for pair in tried if pair[1].answer == "contradiction" and _of_all(pair[1])]
    if decide:
        return max(decide, key=lambda pair: pair[1].probability)
    return max(tried, key=lambda pair: pair[0].shared)  # of equal ones the first: the whole premise


def _of_all(found: Prediction) -> bool:
    """Whether a proof rests on what the premise says of all things of a kind: "no reptile", "every bird"."""
    return any(step.kind == "operator" and step.reason.partition(" ")[0] in _UNIVERSAL for step in found.proof)


def together(chosen: Sequence[tuple[Attempt, Prediction]]) -> Prediction:
    r"""Join what is said of each sentence of a hypothesis: contradicted if one is, entailed only if all are.

    $$p_{\mathrm{entailment}} = \prod_j p_j, \qquad
      p_{\mathrm{contradiction}} = 1 - \prod_j (1 - c_j)$$

    Args:
        chosen: For each of them the attempt that counts.
    """
    first = chosen[0][1]
    if len(chosen) > 1:
        entailed = kept = 1.0
        for _, found in chosen:
            p = dict(found.ranking)
            entailed, kept = entailed * p["entailment"], kept * (1 - p["contradiction"])
        shares = {"entailment": entailed, "neutral": kept - entailed, "contradiction": 1 - kept}
        ranking = tuple(sorted(shares.items(), key=lambda item: -item[1]))
        first = replace(first, answer=ranking[0][0], probability=ranking[0][1], ranking=ranking)
    return replace(
        first,
        path=tuple(fact for _, found in chosen for fact in found.path),
        trace=tuple(_moved(cycle, attempt) for attempt, found in chosen for cycle in found.trace),
        proof=tuple(step for _, found in chosen for step in found.proof),
        notes=tuple(dict.fromkeys(note for _, found in chosen for note in found.notes)),
    )


def _moved(cycle: Cycle, attempt: Attempt) -> Cycle:
    """Let spans count in the whole texts."""
    starts = (attempt.premise.start, attempt.hypothesis.start)
    return replace(cycle, looks=tuple(_moved_look(look, starts) for look in cycle.looks))


def _moved_look(look: Look, starts: tuple[int, int]) -> Look:
    if look.span is None:
        return look
    text, start, end = look.span
    return replace(look, span=(text, start + starts[text], end + starts[text]))
