"""Words that carry structure rather than content, for texts without parts of speech."""

_ENGLISH = """
a about above after again against all am an and any are as at be because been before being below between both but by
can could did do does doing down during each few for from further had has have having he her here hers herself him
himself his how i if in into is it its itself just may me might more most must my myself no nor not now of off on once
only or other our ours out over own s same shall she should so some such t than that the their theirs them themselves
then there these they this those through to too under until up us very was we were what when where which while who
whom why will with would you your yours
"""
#: Content is told from function by the part of speech; without one, by this list.
FUNCTION_WORDS = frozenset(_ENGLISH.split())
