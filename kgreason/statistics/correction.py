"""Many comparisons at once."""

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number, so that a table of ten variants has no lucky winner.

    >>> holm([0.01, 0.04])
    [0.02, 0.04]

    Reference:
        Holm (1979), Scandinavian Journal of Statistics 6.
    """
    order = sorted(range(len(p)), key=p.__getitem__)
    out, highest = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, p[i] * (len(p) - rank)))
        out[i] = highest
    return out
