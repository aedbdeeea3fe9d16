"""The fixed vocabularies of a logic graph: parts of speech, and the relations of every `EdgeType` but KNOWLEDGE.

The order is part of the file formats (checkpoints, caches): append, never reorder.
"""

from kgreason.data.logic import EdgeType
from kgreason.data.vocab import Vocab

#: The 17 universal parts of speech (Universal Dependencies v2). The position is the id in `LogicGraph.node_pos`.
UPOS = Vocab(
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()  # noqa: SIM905
)

_DEPENDENCIES = """
next root acl advcl advmod amod appos aux case cc ccomp clf compound conj cop csubj dep det discourse dislocated expl
fixed flat goeswith iobj list mark nmod nsubj nummod obj obl orphan parataxis punct reparandum vocative xcomp
"""
#: `next` (word order, from `surface`), then the 37 universal dependency relations; subtypes are cut off.
DEPENDENCY_RELATIONS = Vocab(_DEPENDENCIES.split())

#: Phrase, clause or sentence (source) contains a word or a smaller span (target); `head` marks its head word.
SPAN_RELATIONS = Vocab(["contains", "head"])

#: Predicate (source) to argument (target), and operator to what stands in its scope.
SEMANTIC_RELATIONS = Vocab(["agent", "patient", "argument", "modifier", "negates", "quantifies", "conjoins"])

#: A word or phrase (source) names an entity (target).
LINK_RELATIONS = Vocab(["names"])

#: A premise node (source) stands to a hypothesis node (target) in this lexical relation:
#: `hypernym` means the hypothesis word is more general ("dog" to "animal"), `hyponym` that it is more specific.
#: `co_similar` that both are near one concept ("first" and "second" to "ordinal"), `related` that the graph joins them
#: in another way. `other` joins two aligned words between which the graph knows nothing.
ALIGN_RELATIONS = Vocab(
    ["same", "synonym", "hypernym", "hyponym", "antonym", "co_hyponym", "co_similar", "related", "other"]
)

#: What `edge_relation` counts in, for every type of edge whose vocabulary does not depend on the graph in use.
EDGE_RELATIONS: dict[EdgeType, Vocab] = {
    EdgeType.DEPENDENCY: DEPENDENCY_RELATIONS,
    EdgeType.SPAN: SPAN_RELATIONS,
    EdgeType.SEMANTIC: SEMANTIC_RELATIONS,
    EdgeType.LINK: LINK_RELATIONS,
    EdgeType.ALIGN: ALIGN_RELATIONS,
}
