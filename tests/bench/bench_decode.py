"""What decoding, answering and a step of training cost beside one forward pass of the language model.

    python tests/bench/bench_decode.py [rows] [nodes]

One thread. Rows of 64 tokens, as many nodes as given, twice as many edges, width 384, four cycles. Prints milliseconds
and the ratio to the language model's forward pass on the same batch (float32).
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from kgreason.answer import LabelHead
from kgreason.decode import DECODERS
from kgreason.pretrained import load_model
from kgreason.tensors import GraphBatch, States
from kgreason.train import TrainSettings
from kgreason.train.checkpoint import weights_of, write
from kgreason.train.loss import loss_of
from kgreason.train.optimise import build_optimiser

WIDTH, TOKENS, TIMES = 384, 64, 7


def batch_of(rows: int, nodes: int) -> GraphBatch:
    row = torch.arange(rows).repeat_interleave(nodes)
    source = torch.randint(nodes, (2, 2 * rows * nodes)) + nodes * row.repeat(2)
    zeros, edge = torch.zeros(rows * nodes, dtype=torch.long), torch.zeros(source.shape[1], dtype=torch.long)
    return GraphBatch(
        input_ids=torch.randint(1000, 20000, (rows, TOKENS)),
        token_mask=torch.ones(rows, TOKENS, dtype=torch.bool),
        token_text=torch.zeros(rows, TOKENS, dtype=torch.long),
        group=torch.arange(rows),
        node_graph=row,
        node_type=zeros,
        node_text=zeros,
        node_pos=zeros,
        node_entity=zeros,
        node_score=torch.ones(rows * nodes),
        edge_index=source,
        edge_kind=edge,
        edge_type=edge,
        edge_relation=edge,
        edge_score=torch.ones(len(edge)),
        link_index=torch.zeros(2, 0, dtype=torch.long),
        pair_index=torch.zeros(2, 0, dtype=torch.long),
        pair_type=torch.zeros(0, dtype=torch.long),
        example=torch.arange(rows),
        target=torch.stack([torch.arange(rows), torch.randint(3, (rows,))]),
    )


def states_of(batch: GraphBatch) -> States:
    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, WIDTH).requires_grad_()

    rows, nodes, edges = batch.num_graphs, len(batch.node_graph), batch.edge_index.shape[1]
    return States(random(rows), random(rows, TOKENS), random(nodes), random(edges), batch)


def best(work: Callable[[], object]) -> float:
    """Return the shortest of several runs, in milliseconds."""
    work()
    times = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return 1000 * min(times)


def main() -> None:
    rows, nodes = (int(told) for told in (sys.argv[1:] + ["32", "40"][len(sys.argv) - 1 :])[:2])
    torch.manual_seed(0)
    torch.set_num_threads(1)
    batch = batch_of(rows, nodes)
    model = load_model("minilm")

    def language() -> None:
        with torch.no_grad():
            model(input_ids=batch.input_ids, attention_mask=batch.token_mask.long())

    unit = best(language)
    tell = sys.stdout.write
    tell(f"{rows} rows, {nodes} nodes and {2 * nodes} edges each, width {WIDTH}\n")
    tell(f"{'language model, forward':44}{unit:9.1f} ms\n")
    tables = [{"name": "pool"}, {"name": "cycle"}, {"name": "cycle", "halt": {"name": "ponder"}}, {"name": "edits"}]
    states, head = states_of(batch), LabelHead(WIDTH, 3)
    for table in tables:
        decode = DECODERS.build(table, dim=WIDTH)

        def forward(decode: Callable[[States], object] = decode) -> None:
            with torch.no_grad():
                head(states, decode(states))

        def both(decode: Callable[[States], object] = decode) -> None:
            trace = decode(states)
            loss_of(head(states, trace), trace, batch).backward()

        name = " ".join([table["name"], *table.get("halt", {}).values()]) + " + label"
        for what, work in ((f"{name}, forward", forward), (f"{name}, forward, loss, backward", both)):
            took = best(work)
            tell(f"{what:44}{took:9.1f} ms {took / unit:8.3f} of the language model\n")
    bench_optimiser(model.train())


def bench_optimiser(model: torch.nn.Module) -> None:
    """Time what a fine-tuned language model adds: steps of the optimiser, and checkpoints."""
    model.requires_grad_(True)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    fused = build_optimiser(model, TrainSettings())
    plain = torch.optim.AdamW(model.parameters(), foreach=False, fused=False)
    times = {"AdamW as trained": best(fused.step), "AdamW, one by one": best(plain.step)}
    with tempfile.TemporaryDirectory() as folder:
        times["checkpoint, weights"] = best(lambda: write(Path(folder) / "a", weights_of(model), {}))
    for name, took in times.items():
        sys.stdout.write(f"{name + ', 22.7 M numbers':44}{took:9.1f} ms\n")


if __name__ == "__main__":
    main()
