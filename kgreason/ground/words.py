"""Closed classes of English words that the reading of a dependency tree turns on."""

from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Nouns that only count or bundle what follows "of".
GROUPS: Final = _set(
    """group bunch couple lot number crowd band team pack herd flock pair set series variety handful plenty kind type
    sort piece dozen collection majority ton load cluster gang swarm flock troop array crew line row party cup slice bit
    body game"""
)
#: Words before "of" that say how many of a whole.
PARTITIVES: Final = _set("some all each none most many one both few several any half either neither every much another")
#: Nouns that make a preposition: "on top of", "in front of".
PLACES: Final = _set("top front middle midst center centre back side edge")
#: Prepositions of several words that begin with an adverb or an adjective.
PREPOSITIONS: Final = frozenset(
    {"far from", "far away from", "away from", "close to", "next to", "near to", "ahead of", "outside of", "inside of"}
    | {"out of", "off of", "apart from", "instead of", "because of", "close by to"}
)
#: Negating adverbs.
NEGATIONS: Final = _set("not n't never nt n’t neither nor")
#: Auxiliaries that change whether something is so.
MODALS: Final = _set("may might can could must should would will shall ought")
#: Adverbs that add nothing that could make a statement of a scene false.
EMPTY: Final = _set(
    """also just then now too there here still already currently however thus well even
    simply actually rather somewhat etc right indeed else ever yet again anymore that"""
)
#: Pronouns that hide a noun and a quantifier.
INDEFINITE: Final = {
    "nobody": ("person", "no"),
    "everybody": ("person", "every"),
    "everyone": ("person", "every"),
    "somebody": ("person", "a"),
    "someone": ("person", "a"),
    "anybody": ("person", "a"),
    "anyone": ("person", "a"),
    "nothing": ("thing", "no"),
    "everything": ("thing", "every"),
    "something": ("thing", "a"),
    "anything": ("thing", "a"),
}
#: What makes one verb with the verb before it, if the graph knows that verb: "stand up", "put out".
PARTICLES: Final = _set("up down out off on over away around back along together")
RELATIVES: Final = _set("who which that whom whose where when")
PERSONAL: Final = {
    "he": "man", "him": "man", "himself": "man",
    "she": "woman", "her": "woman", "herself": "woman",
    "they": "", "them": "", "themselves": "", "it": "thing", "itself": "thing",
    "i": "person", "me": "person", "we": "person", "us": "person", "you": "person", "one": "",
}  # fmt: skip
#: Verbs that say no more than a preposition or the structure does: "a woman wearing red", "a man with a hat".
LIGHT: Final = _set(
    """be have do get wear dress clothe hold carry contain feature involve perform color colour cover make fill locate
    situate consist colored coloured"""
)
FEMALE: Final = _set(
    """woman girl lady mother daughter sister wife female queen princess actress waitress aunt grandmother niece bride
    girlfriend widow schoolgirl saleswoman policewoman nun mom mum"""
)
MALE: Final = _set(
    """man boy gentleman guy father son brother husband male king prince actor waiter uncle grandfather nephew groom
    boyfriend widower schoolboy salesman policeman monk dad"""
)
