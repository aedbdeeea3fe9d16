"""Recipes as a knowledge graph: a source, a parser and a decoder that a package of its own adds to kgreason."""
