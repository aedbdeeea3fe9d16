"""What is asked of rows of neighbours that are laid end to end and ascend, compiled."""

from typing import no_type_check

from numba import njit


@njit(cache=True)
@no_type_check
def joined(csr, a, b):
    """Whether `b` is among the neighbours of `a`; the row of each entity is ascending."""
    ptr, tail = csr
    low, high = ptr[a], ptr[a + 1]
    while low < high:
        middle = (low + high) // 2
        if tail[middle] < b:
            low = middle + 1
        else:
            high = middle
    return low < ptr[a + 1] and tail[low] == b


@njit(cache=True)
@no_type_check
def share(csr, a, b):
    """Whether `a` and `b` have a neighbour in common."""
    ptr, tail = csr
    i, j = ptr[a], ptr[b]
    while i < ptr[a + 1] and j < ptr[b + 1]:
        if tail[i] == tail[j]:
            return True
        if tail[i] < tail[j]:
            i += 1
        else:
            j += 1
    return False
