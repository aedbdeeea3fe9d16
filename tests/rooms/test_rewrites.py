"""Rewriting of trees, where a text begins with what is rewritten."""

from kgreason.ground.rewrites import Sketch, rewrite


def test_a_preposition_of_several_words_may_begin_a_text() -> None:
    """Parsers hang "of" below the noun, and the noun below "outside"; nothing stands before them."""
    words = ["outside", "of", "houses"]
    sketch = Sketch(words, ["outside", "of", "house"], ["ADV", "ADP", "NOUN"], [-1, 2, 0], ["root", "case", "obl"])
    rewrite(sketch)
    assert sketch.governor == [2, 2, -1]
    assert sketch.cases == {2: [0, 1]}
    assert sketch.silent == {0, 1}
