"""To and from PyTorch Geometric: `Data` and `HeteroData`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.errors import DataError, MissingExtraError
from kgreason.knowledge.labels import build_labels
from kgreason.knowledge.strings import StringTable

if TYPE_CHECKING:
    from torch_geometric.data import Data, HeteroData


def to_pyg(graph: KnowledgeGraph) -> "Data":
    """Turn a knowledge graph into a `Data` with `edge_index`, `edge_type`, and the names of nodes and relations.

    `node_name` and `relation_name` are lists of text, so that `graph_from_pyg` gives the same graph back.

    Raises:
        MissingExtraError: If PyTorch Geometric is not installed.
    """
    try:
        import torch
        from torch_geometric.data import Data
    except ImportError:
        raise MissingExtraError("torch-geometric", "graph", "to_pyg") from None
    triples = graph.triples.astype(np.int64)
    return Data(
        edge_index=torch.from_numpy(np.ascontiguousarray(triples[:, [0, 2]].T)),
        edge_type=torch.from_numpy(np.ascontiguousarray(triples[:, 1])),
        num_nodes=len(graph.entities),
        node_name=list(graph.entities),
        relation_name=list(graph.relations),
        node_label=[graph.label(i) for i in range(len(graph.entities))],
    )


def graph_from_pyg(
    data: "Data | HeteroData",
    nodes: Sequence[str] | Mapping[str, Sequence[str]] = (),
    relations: Sequence[str] = (),
) -> KnowledgeGraph:
    """Turn a `Data` or a `HeteroData` of PyTorch Geometric into a knowledge graph.

    Every edge becomes a triple. A node that nobody named is called by its number, in a `HeteroData` by its type and
    number (`author/7`); a relation of a `Data` without names `relation_3`, one of a `HeteroData` by its edge type.

    Args:
        data: The graph. Names are taken from `node_name` and `relation_name` if it has them, labels from `node_label`.
        nodes: The name of each node; of a `HeteroData`, by node type.
        relations: The name of each number in `edge_type`, of a `Data`.

    Raises:
        DataError: If there is no edge, an edge leads to a node that is not there, or two nodes have one name.
    """
    hetero = hasattr(data, "edge_types") and hasattr(data, "node_types")
    names, called, rows = _hetero(data, nodes) if hetero else _homogeneous(data, nodes, relations)
    labels = [] if hetero else list(getattr(data, "node_label", None) or ())
    if not len(rows):
        raise DataError("The PyG graph has no edge; a knowledge graph needs at least one triple.")
    if rows.min() < 0 or rows[:, [0, 2]].max() >= len(names) or rows[:, 1].max() >= len(called):
        raise DataError(
            f"The PyG graph has {len(names)} nodes and {len(called)} relations, but an edge names others. "
            "Check edge_index and edge_type."
        )
    return _built(names, labels if len(labels) == len(names) else names, called, rows)


def _homogeneous(data: Any, nodes: Any, relations: Sequence[str]) -> tuple[list[str], list[str], ndarray]:
    edges, kinds = _numbers(data.edge_index), getattr(data, "edge_type", None)
    kind = np.zeros(edges.shape[1], np.int64) if kinds is None else _numbers(kinds).reshape(-1)
    given = list(nodes or getattr(data, "node_name", None) or ())
    count = int(edges.max(initial=-1)) + 1  # nodes behind the last one that has an edge are left out anyway
    called = list(relations or getattr(data, "relation_name", None) or ())
    called += [f"relation_{k}" for k in range(len(called), int(kind.max(initial=-1)) + 1)]
    return given or [str(i) for i in range(count)], called, np.stack([edges[0], kind, edges[1]], axis=1)


def _hetero(data: Any, nodes: Any) -> tuple[list[str], list[str], ndarray]:
    given = dict(nodes) if isinstance(nodes, Mapping) else {}
    all_edges = {kind: _numbers(data[kind].edge_index) for kind in data.edge_types}
    counts = dict.fromkeys(data.node_types, 0)
    for (source, _, target), edges in all_edges.items():
        for kind, ends in ((source, edges[0]), (target, edges[1])):
            counts[kind] = max(counts[kind], int(ends.max(initial=-1)) + 1)
    names, begins = list[str](), dict[str, int]()
    for kind, count in counts.items():
        begins[kind] = len(names)
        own = given.get(kind) or getattr(data[kind], "node_name", None)
        if own and len(own) < count:
            raise DataError(f"The PyG graph has {len(own)} names for its nodes of type '{kind}', but {count} nodes.")
        names += list(own) if own else [f"{kind}/{i}" for i in range(count)]
    called, rows = list[str](), [np.zeros((0, 3), np.int64)]
    for source, relation, target in data.edge_types:
        if relation not in called:
            called.append(relation)
        edges = all_edges[source, relation, target]
        kind = np.full(edges.shape[1], called.index(relation), np.int64)
        rows.append(np.stack([edges[0] + begins[source], kind, edges[1] + begins[target]], axis=1))
    return names, called, np.concatenate(rows)


def _numbers(tensor: Any) -> ndarray:
    return np.asarray(tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor, np.int64)


def _built(names: list[str], shown: list[str], called: list[str], rows: ndarray) -> KnowledgeGraph:
    """Put the graph in order: entities without a triple are left out, names stand in the order of their bytes."""
    import polars as pl

    used, row_ends = np.unique(rows[:, [0, 2]], return_inverse=True)
    kept = [names[i] for i in used.tolist()]
    if len(set(kept)) < len(kept) or not all(name.strip() for name in kept):
        raise DataError("Two nodes of the PyG graph have the same name, or one has a blank one. Rename them.")
    order = sorted(range(len(kept)), key=lambda i: kept[i].encode())
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    kinds, kind_of = np.unique(rows[:, 1], return_inverse=True)
    distinct = sorted({called[k] for k in kinds.tolist()})
    relation: Int32[ndarray, " kinds"] = np.array([distinct.index(called[k]) for k in kinds.tolist()], np.int32)
    ends = place[row_ends.reshape(-1, 2)]
    triples = np.stack([ends[:, 0], relation[kind_of.reshape(-1)], ends[:, 1]], axis=1)
    table = StringTable.of([kept[i] for i in order])
    texts = [shown[used[i]] for i in order] + [kept[i] for i in order]
    both = np.tile(np.arange(len(order), dtype=np.int32), 2)
    none = np.full(len(order), -1, np.int8)
    labels = build_labels(pl.Series(texts, dtype=pl.String), both, np.ones(len(both)), none)
    return KnowledgeGraph.from_ids(table, Vocab(distinct), triples, labels, {"source": "PyTorch Geometric"})
