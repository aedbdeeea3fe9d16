"""A source: recipes in, a knowledge graph out."""

from pathlib import Path
from typing import final

from kgreason import DataError, KnowledgeGraph


@final
class RecipeSource:
    """Reads recipes, one a line: `pancakes: flour, milk, eggs`.

    Args:
        path: The file.
        relation: What a dish has to do with its ingredients.

    Raises:
        DataError: If a line is none, or there is no line.
    """

    def __init__(self, path: str | Path, *, relation: str = "made_of") -> None:
        self.path, self.relation = Path(path), relation

    def __call__(self) -> KnowledgeGraph:
        triples = []
        for number, line in enumerate(self.path.read_text("utf-8").splitlines(), start=1):
            dish, colon, parts = line.partition(":")
            if not colon:
                raise DataError(f"{self.path}, line {number} is not 'dish: ingredient, ingredient': {line!r}")
            triples += [(dish.strip(), self.relation, part.strip()) for part in parts.split(",")]
        return KnowledgeGraph.from_triples(triples)
