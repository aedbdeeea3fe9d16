"""A spaCy pipeline as parser."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from kgreason.data import Example, LogicGraph
from kgreason.errors import ConfigError, MissingExtraError
from kgreason.parse.sentence import Sentence, build_graph, clean

#: The relations of spaCy's English pipelines that Universal Dependencies call otherwise.
_RENAMED = {
    "acomp": "xcomp",
    "agent": "case",
    "attr": "xcomp",
    "auxpass": "aux",
    "csubjpass": "csubj",
    "dative": "iobj",
    "dobj": "obj",
    "intj": "discourse",
    "meta": "dep",
    "neg": "advmod",
    "npadvmod": "obl",
    "nsubjpass": "nsubj",
    "oprd": "xcomp",
    "pcomp": "advcl",
    "pobj": "obl",
    "poss": "nmod",
    "preconj": "cc",
    "predet": "det",
    "prep": "case",
    "prt": "compound",
    "quantmod": "advmod",
    "relcl": "acl",
}
_NOMINAL = frozenset({"NOUN", "PROPN", "PRON", "NUM"})


@final
class SpacyParser:
    """Words, tags and trees of an installed spaCy pipeline.

    Pipelines trained on Universal Dependencies are taken as they are. The relations of spaCy's own English pipelines
    are renamed, and a preposition becomes the `case` of its noun; copulas stay the governors of their predicates.

    Args:
        model: The name of an installed pipeline, or its folder. It needs a dependency parser.

    Raises:
        MissingExtraError: If spaCy is not installed.
        ConfigError: If there is no such pipeline, or it does not parse.
    """

    def __init__(self, model: str = "en_core_web_sm") -> None:
        try:
            import spacy
        except ImportError as error:
            raise MissingExtraError("spacy", "spacy", "[parse] name = 'spacy'") from error
        try:
            self.pipeline: Any = spacy.load(model)
        except OSError as error:
            raise ConfigError(
                f"[parse] model = '{model}': spaCy has no such pipeline. "
                f"Install it with: python -m spacy download {model}"
            ) from error
        if "parser" not in self.pipeline.pipe_names:
            raise ConfigError(
                f"[parse] model = '{model}' has the components {self.pipeline.pipe_names}; it needs a 'parser'."
            )

    def __call__(self, examples: Sequence[Example]) -> list[LogicGraph]:
        texts = list(dict.fromkeys(text for example in examples for text in example.texts))
        docs = self.pipeline.pipe(clean(text) for text in texts)
        parsed = {text: [_sentence(part) for part in doc.sents] for text, doc in zip(texts, docs, strict=True)}
        return [build_graph(e, [[s for s in parsed[text] if len(s)] for text in e.texts]) for e in examples]


def _sentence(part: Any) -> Sentence:
    tokens = [token for token in part if not token.is_space]
    place = {token.i: i for i, token in enumerate(tokens, start=1)}
    governors = [0 if token.head.i == token.i else _place(token.head, place) for token in tokens]
    governors, relations = to_universal(governors, [token.dep_.lower() for token in tokens], [t.pos_ for t in tokens])
    return Sentence(
        words=tuple(token.text for token in tokens),
        spans=np.array([(t.idx, t.idx + len(t)) for t in tokens], np.int32).reshape(-1, 2),
        lemmas=tuple(token.lemma_.lower() for token in tokens),
        upos=tuple(token.pos_ for token in tokens),
        xpos=tuple(token.tag_ for token in tokens),
        governors=tuple(governors),
        relations=tuple(relations),
    )


def _place(token: Any, place: dict[int, int]) -> int:
    while token.i not in place and token.head.i != token.i:
        token = token.head
    return place.get(token.i, 0)


def to_universal(
    governors: Sequence[int], relations: Sequence[str], upos: Sequence[str]
) -> tuple[list[int], list[str]]:
    """Turn the tree of a spaCy English pipeline towards Universal Dependencies; a UD tree stays as it is.

    "slept (prep) on (pobj) couch" becomes "slept (obl) couch (case) on".

    Args:
        governors: Counted from 1; 0 for the root.
        relations: The relation of each word to its governor.
        upos: Universal parts of speech.

    >>> to_universal([2, 0, 2, 3], ["nsubj", "root", "prep", "pobj"], ["PRON", "VERB", "ADP", "NOUN"])
    ([2, 0, 4, 2], ['nsubj', 'root', 'case', 'obl'])
    """
    turned, names = list(governors), [_RENAMED.get(name, name) for name in relations]
    for w, name in enumerate(relations):
        above = governors[w] - 1
        if name not in {"pobj", "pcomp"} or above < 0 or relations[above] not in {"prep", "agent", "dative"}:
            continue
        if turned[above] != governors[above]:  # the preposition has its noun already
            names[w] = "conj"
            turned[w] = turned[above]
            continue
        turned[w] = governors[above]
        turned[above] = w + 1
        names[above] = "case" if name == "pobj" else "mark"
        if name == "pobj":
            top = governors[above] - 1
            names[w] = "nmod" if top >= 0 and upos[top] in _NOMINAL else "obl"
    return turned, names
