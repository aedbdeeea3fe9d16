"""What an ablation costs beside its training alone: `python tests/bench/bench_ablate.py [--limit 600] [--jobs 1]`.

Eight variants of experiments/lexical-nli/demo.toml with five seeds, from an empty cache: parsing, grounding, states of
the frozen language model, starting of processes, tests and the table are all paid for. Training alone is the time that
the training loops themselves took, evaluation on dev included, summed over the forty runs.
"""

# ruff: noqa: T201
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VARIANTS = """
title = "Bench"
base  = "{base}"
name  = "wordnet"
seeds = [{seeds}]
[variants]
no-graph   = {{ "ground.name" = "nothing" }}
no-facts   = {{ "ground" = {{ name = "perturb", around = {{ name = "align" }}, mode = "drop", share = 1.0 }} }}
perturbed  = {{ "ground" = {{ name = "perturb", around = {{ name = "align" }}, mode = "tails" }} }}
no-cycles  = {{ "decode.name" = "pool", "answer.name" = "label" }}
no-layers  = {{ "encode.graph" = {{ name = "none" }} }}
no-fusion  = {{ "encode.fuse" = {{ name = "none" }} }}
two-layers = {{ "encode.graph.layers" = 2 }}
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    told = parser.parse_args()
    base = Path(__file__).resolve().parents[2] / "experiments" / "lexical-nli" / "demo.toml"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.ablation.toml"
        file.write_text(VARIANTS.format(base=base, seeds=", ".join(map(str, range(told.seeds)))))
        command = [str(Path(sys.executable).with_name("kgreason")), "ablate", str(file), "--out", f"{folder}/runs"]
        command += ["--limit", str(told.limit), "--jobs", str(told.jobs)]
        for what in ("from an empty cache", "when all is done"):
            begin, before = time.monotonic(), os.times()
            subprocess.run(
                command, check=True, env=os.environ | {"KGREASON_CACHE": f"{folder}/cache"}, stdout=subprocess.DEVNULL
            )
            wall, after = time.monotonic() - begin, os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            print(f"{what}: {wall:.0f} s by the clock, {cpu:.0f} s of the processor")
            if what == "from an empty cache":
                first = wall
        runs = [json.loads(path.read_text()) for path in Path(folder).glob("runs/*/metrics.json")]
        size = sum(path.stat().st_size for path in Path(folder).glob("cache/**/*") if path.is_file())
    training = sum(run["train"]["seconds"] for run in runs)
    print(f"{len(runs)} runs, {told.limit} examples of each split, {told.jobs} at a time; cache {size / 1e6:.0f} MB")
    print(f"training alone {training:.0f} s; the whole costs {first * told.jobs / training:.2f} times that")


if __name__ == "__main__":
    main()
