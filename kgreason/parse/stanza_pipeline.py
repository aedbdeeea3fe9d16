"""A Stanza pipeline as parser."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from kgreason.data import Example, LogicGraph
from kgreason.errors import ConfigError, MissingExtraError
from kgreason.parse.sentence import Sentence, build_graph, clean


@final
class StanzaParser:
    """Words, tags and Universal Dependencies trees of a Stanza pipeline that is on this machine; nothing is downloaded.

    Args:
        language: The language's code.
        package: The treebank its models were trained on; `default` leaves it to Stanza.
        folder: Where Stanza keeps its models; empty for its own choice.

    Raises:
        MissingExtraError: If Stanza is not installed.
        ConfigError: If the models are not on this machine.
    """

    def __init__(self, language: str = "en", package: str = "default", folder: str = "") -> None:
        try:
            import stanza
        except ImportError as error:
            raise MissingExtraError("stanza", "stanza", "[parse] name = 'stanza'") from error
        places = {"model_dir": folder} if folder else {}
        try:
            self.pipeline: Any = stanza.Pipeline(
                language,
                package=package,
                processors="tokenize,mwt,pos,lemma,depparse",
                download_method=None,
                verbose=False,
                **places,
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ConfigError(
                f"[parse] language = '{language}', package = '{package}': Stanza cannot load it: {reason} "
                f"Get it with: python -c \"import stanza; stanza.download('{language}')\""
            ) from error

    def __call__(self, examples: Sequence[Example]) -> list[LogicGraph]:
        texts = dict.fromkeys(text for example in examples for text in example.texts)
        parsed = {text: self._parse(clean(text)) for text in texts}
        return [build_graph(example, [parsed[text] for text in example.texts]) for example in examples]

    def _parse(self, text: str) -> list[Sentence]:
        if not text.strip():
            return []
        return [_sentence(sentence) for sentence in self.pipeline(text).sentences]


def _sentence(sentence: Any) -> Sentence:
    words = sentence.words
    return Sentence(
        words=tuple(word.text for word in words),
        spans=np.array([_span(word) for word in words], np.int32).reshape(-1, 2),
        lemmas=tuple((word.lemma or "").lower() for word in words),
        upos=tuple(word.upos or "" for word in words),
        xpos=tuple(word.xpos or "" for word in words),
        governors=tuple(int(word.head) for word in words),
        relations=tuple(word.deprel or "dep" for word in words),
    )


def _span(word: Any) -> tuple[int, int]:
    """Return where a word stands; a word of a contraction has no place of its own in some languages."""
    if word.start_char is not None:
        return int(word.start_char), int(word.end_char)
    return int(word.parent.start_char), int(word.parent.end_char)
