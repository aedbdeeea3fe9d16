"""Two readers of one text: what both make of each relation between two people, and of the same seen from the other."""

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from kgreason.ground.kinwords import INVERSE, NAMES

#: What each reader counts, as a power of its probabilities, and the least it gives to anything.
_SIGNS, _LANGUAGE = (0.5, 1e-3), (0.5, 1e-6)
_KINDS = tuple(INVERSE)
_KIND = np.array([_KINDS.index(kin.kind) for kin in NAMES])
#: 1 where a relation (row) is of a kind (column).
_IS = np.eye(len(_KINDS))[_KIND]
_BACK = np.array([_KINDS.index(INVERSE[kind]) for kind in _KINDS])


def agree(
    stated: Float64[ndarray, "people people relations"], likely: Float64[ndarray, "people people classes"]
) -> Float64[ndarray, "people people relations"]:
    r"""Return how sure two readers are together of each relation of kin, in the order of `NAMES`.

    $$p(r) \propto p_1(r)^{1/2}\, p_2(r)^{1/2}, \qquad
      q_{xz}(k) \propto \sqrt{p_{xz}(k)\; p_{zx}(\bar k)}, \qquad q_{xz}(r) = q_{xz}(k_r)\, p_{xz}(r \mid k_r)$$

    with $k_r$ the relation without gender and $\bar k$ its inverse; no relation at all is one of the kinds. The first
    reader gives each statement alone a probability; of several that exclude each other the odds count.

    Args:
        stated: Of the reader of signs, each relation by itself.
        likely: Of the reader of the language model: no relation first; they sum to 1.
    """
    people = len(stated)
    kinds = stated @ _IS
    sure = np.minimum(kinds, 0.999)
    odds = sure / (1 - sure)
    share = stated / np.maximum(kinds[..., _KIND], 1e-12)
    first = np.concatenate([np.ones((people, people, 1)), odds[..., _KIND] * share], -1)
    first /= 1 + odds.sum(-1, keepdims=True)
    (power, least), (power_too, least_too) = _SIGNS, _LANGUAGE
    log = power * np.log(first + least) + power_too * np.log(likely + least_too)
    both = np.exp(log - log.max(-1, keepdims=True))
    return _both_ways(both / both.sum(-1, keepdims=True))


def _both_ways(p: Float64[ndarray, "people people classes"]) -> Float64[ndarray, "people people relations"]:
    kinds = p[..., 1:] @ _IS
    none = np.sqrt(p[..., 0] * p[..., 0].T)
    both = np.sqrt(kinds * kinds.transpose(1, 0, 2)[..., _BACK])
    both /= (none + both.sum(-1))[..., None]
    found: ndarray = both[..., _KIND] * p[..., 1:] / np.maximum(kinds[..., _KIND], 1e-12)
    found[np.arange(len(p)), np.arange(len(p))] = 0.0
    return found
