"""Many questions to one endpoint: in batches, several at once, and a batch that is too much in halves."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kgreason.knowledge.sparql_client import Client, Row, TooMuchError

T = TypeVar("T")

#: So many terms stand in one VALUES block, and so many rows are asked for at once; public endpoints cut at 10,000.
BATCH, PAGE = 200, 5000


def ask_all(client: Client, terms: Sequence[T], question: Callable[[Sequence[T]], str], size: int = BATCH) -> list[Row]:
    """Put one question for many terms and return the rows of all answers, in the order of the terms' batches.

    Args:
        client: The endpoint.
        terms: What is asked about.
        question: The query for some of the terms.
        size: How many terms a query has at most.

    Raises:
        StoreError: If the endpoint fails, or one term alone is too much for it.
    """
    return ask_groups(client, [terms[i : i + size] for i in range(0, len(terms), size)], question)


def ask_groups(client: Client, groups: Sequence[Sequence[T]], question: Callable[[Sequence[T]], str]) -> list[Row]:
    """Put one question for each group of terms; otherwise as `ask_all`."""

    def ask(group: Sequence[T]) -> list[Row]:
        try:
            rows = client.select(question(group))
            if len(rows) < PAGE or len(group) == 1:
                return rows
        except TooMuchError:
            if len(group) == 1:
                raise
        # Too much: it took too long, or there are so many rows that the server may have cut them off.
        middle = len(group) // 2
        return ask(group[:middle]) + ask(group[middle:])

    if len(groups) <= 1 or client.access.parallel == 1:
        return [row for group in groups for row in ask(group)]
    with ThreadPoolExecutor(min(client.access.parallel, len(groups))) as workers:
        return [row for rows in workers.map(ask, groups) for row in rows]
