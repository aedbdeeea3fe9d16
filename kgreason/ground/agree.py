"""Two readers of one text: what both make of each relation of two people, seen from either side, and of genders."""

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
_FEMALE = np.array([float(kin.gender == "f") for kin in NAMES])
#: What a name counts for a gender, the most that one relation does, and the least that is given to either.
_NAMED, _CALLED, _LEAST = 0.5, 3.0, 1e-4
_BACK = np.array([_KINDS.index(INVERSE[kind]) for kind in _KINDS])


def agree(
    stated: Float64[ndarray, "people people relations"],
    likely: Float64[ndarray, "people people classes"],
    named: Float64[ndarray, " people"],
) -> Float64[ndarray, "people people relations"]:
    r"""Return how sure two readers are together of each relation of kin, in the order of `NAMES`.

    $$\begin{aligned}
      p(r) &\propto p_1(r)^{1/2}\, p_2(r)^{1/2} && \text{both readers} \\
      q_{xz}(k) &\propto \sqrt{p_{xz}(k)\; p_{zx}(\bar k)} && \text{from either side} \\
      g_z &= \tfrac12 n_z + \textstyle\sum_x (1 - q_{xz}(\varnothing)) \Big[\log
        \frac{\sum_{r\ \text{female}} p_{xz}(r)}{\sum_{r\ \text{male}} p_{xz}(r)}\Big]_{-3}^{3}
        && \text{everyone has one gender} \\
      q_{xz}(r) &= q_{xz}(k_r)\; \sigma(\pm g_z)
    \end{aligned}$$

    with $k_r$ the relation without gender and $\bar k$ its inverse; no relation at all is one of the kinds. The first
    reader gives each statement alone a probability; of several that exclude each other the odds count.

    Args:
        stated: Of the reader of signs, each relation by itself.
        likely: Of the reader of the language model: no relation first; they sum to 1.
        named: $n$, the log odds of everyone's being female by her name.
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
    return _both_ways(both / both.sum(-1, keepdims=True), named)


def _both_ways(
    p: Float64[ndarray, "people people classes"], named: Float64[ndarray, " people"]
) -> Float64[ndarray, "people people relations"]:
    kinds = p[..., 1:] @ _IS
    none = np.sqrt(p[..., 0] * p[..., 0].T)
    both = np.sqrt(kinds * kinds.transpose(1, 0, 2)[..., _BACK])
    both /= (none + both.sum(-1))[..., None]
    both[np.arange(len(p)), np.arange(len(p))] = 0.0
    female, male = p[..., 1:] @ _FEMALE + _LEAST, p[..., 1:] @ (1 - _FEMALE) + _LEAST
    called = np.clip(np.log(female / male), -_CALLED, _CALLED) * both.sum(-1)
    sure = 1 / (1 + np.exp(-_NAMED * named - called.sum(0)))[:, None]
    found: ndarray = both[..., _KIND] * np.where(_FEMALE, sure, 1 - sure)
    return found
