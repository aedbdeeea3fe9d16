"""A parser: the words of a text that stand on a menu."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

from kgreason import Example, LogicGraph
from kgreason.parse import PARSERS


@final
class MenuParser:
    """Reads a text as another parser does, with `&` for "and".

    Args:
        around: The table of the other parser.
    """

    def __init__(self, around: str = "surface") -> None:
        self.parse = PARSERS.build({"name": around})

    def __call__(self, examples: Sequence[Example]) -> list[LogicGraph]:
        return self.parse([replace(e, texts=tuple(text.replace("&", "and") for text in e.texts)) for e in examples])
